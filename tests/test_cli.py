"""The command line: files in, files out, exit codes, one-line errors, nothing half-written.

The model is an untrained tiny one, made here: the commands, not the pictures, are under test.
"""

import json
import subprocess
import sys
import time

import numpy as np
import pytest
import torch
from PIL import Image

from mfca_tutorial import Codec, container, data
from mfca_tutorial.checkpoint import save_checkpoint
from mfca_tutorial.cli import main
from mfca_tutorial.config import TINY

PHOTO = data.photograph("coffee")[100:170, 200:290]  # (70, 90, 3)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("model") / "tiny.safetensors"
    save_checkpoint(Codec(TINY).freeze(), file)
    return str(file)


@pytest.fixture(scope="module")
def encoded(model, tmp_path_factory):
    """(picture, .mfca file) as strings."""
    folder = tmp_path_factory.mktemp("files")
    data.write_image(PHOTO, folder / "a.png")
    names = str(folder / "a.png"), str(folder / "a.mfca")
    assert main(["encode", *names, "--quality", "30", "--checkpoint", model]) == 0
    return names


def fails(capsys, *words):
    """Runs a command that must fail; returns its one line on stderr."""
    try:
        status = main([str(word) for word in words])
    except SystemExit as stop:  # argparse
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2 and out == "" and err.startswith("mfca") and err.count("\n") == 1, (
        status,
        out,
        err,
    )
    return err


def test_file_holds_what_the_library_makes_and_decodes_to_the_same_pixels(encoded, model, tmp_path):
    picture, file = encoded
    codec = Codec.from_pretrained(model)
    stream = codec.compress(PHOTO, 30)
    assert open(file, "rb").read() == stream
    assert main(["decode", file, str(tmp_path / "b.png"), "--checkpoint", model]) == 0
    np.testing.assert_array_equal(
        data.read_image(tmp_path / "b.png")[0], data.to_image(codec.decompress(stream))
    )


def test_encode_says_how_large_the_file_is(encoded, model, tmp_path, capsys):
    assert main(["encode", encoded[0], str(tmp_path / "b.mfca"), "--checkpoint", model]) == 0
    size = (tmp_path / "b.mfca").stat().st_size
    assert f"90 x 70, {size} bytes, {8 * size / 6300:.3f} bpp" in capsys.readouterr().out


def test_grey_pictures_come_back_grey(model, tmp_path):
    Image.fromarray(PHOTO[..., 0]).save(tmp_path / "a.png")
    for command, source, target in (("encode", "a.png", "a.mfca"), ("decode", "a.mfca", "b.png")):
        assert (
            main([command, str(tmp_path / source), str(tmp_path / target), "--checkpoint", model])
            == 0
        )
    assert Image.open(tmp_path / "b.png").mode == "L"


def test_notices_go_to_stderr(model, tmp_path, capsys):
    Image.new("RGBA", (9, 9), (255, 0, 0, 100)).save(tmp_path / "a.png")
    assert (
        main(["encode", str(tmp_path / "a.png"), str(tmp_path / "a.mfca"), "--checkpoint", model])
        == 0
    )
    assert "note: " in (err := capsys.readouterr().err) and "over white" in err


def test_importance_and_effort_reach_the_file(encoded, model, tmp_path):
    Image.fromarray(np.uint8([[0, 255]])).save(tmp_path / "mask.png")
    streams = []
    for importance in ("flat", "auto", str(tmp_path / "mask.png")):
        words = [
            "encode",
            encoded[0],
            str(tmp_path / "b.mfca"),
            "--importance",
            importance,
            "--checkpoint",
            model,
        ]
        assert main(words) == 0
        streams.append((tmp_path / "b.mfca").read_bytes())
    assert [container.read_header(stream).has_map for stream in streams] == [False, True, True]
    mask = np.float32([[-1, 1]])
    assert streams[2] == Codec.from_pretrained(model).compress(PHOTO, 50, mask)
    assert (
        main(
            ["encode", encoded[0], str(tmp_path / "c.mfca"), "--effort", "2", "--checkpoint", model]
        )
        == 0
    )
    assert (tmp_path / "c.mfca").read_bytes() == Codec.from_pretrained(model).compress(
        PHOTO, 50, effort=2
    )


def test_info_in_words_and_json(encoded, capsys):
    assert main(["info", encoded[1]]) == 0
    assert "width       90" in capsys.readouterr().out
    assert main(["info", encoded[1], "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    stream = open(encoded[1], "rb").read()
    assert (
        facts["bytes"] == len(stream)
        and facts["model"] == container.read_header(stream).model_id.hex()
    )
    assert (facts["width"], facts["height"], facts["quality"], facts["grey"]) == (90, 70, 30, False)
    assert 0 < len(stream) - facts["map_bytes"] - facts["z_bytes"] - facts["y_bytes"] <= 32


def test_info_is_quick_and_needs_no_torch(encoded):
    code = (
        "import sys; from mfca_tutorial.cli import main; main(sys.argv[1:]); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib', 'skimage', 'scipy')))"
    )
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        assert (
            subprocess.run([sys.executable, "-c", code, "info", encoded[1]], check=False).returncode
            == 0
        )
        seconds.append(time.perf_counter() - start)
    assert (
        min(seconds) < 1
    )  # 0.3 s on an idle machine, and torch alone takes longer than 1 s to import


def test_bad_input_is_one_line_and_exit_2(encoded, model, tmp_path, capsys):
    picture, file = encoded
    out = tmp_path / "out.mfca"
    empty = tmp_path / "empty"
    empty.mkdir()
    (tmp_path / "text.png").write_text("no\npicture")
    damaged = bytearray(open(file, "rb").read())
    damaged[len(damaged) // 2] ^= 1
    (tmp_path / "damaged.mfca").write_bytes(damaged)
    assert "no such file" in fails(capsys, "encode", tmp_path / "absent.png", out)
    assert "not an image" in fails(capsys, "encode", tmp_path / "text.png", out)
    assert "not in 0..100" in fails(capsys, "encode", picture, out, "--quality", 101)
    assert "not in 0..100" in fails(capsys, "encode", picture, out, "--quality", "nan")
    assert "--quality" in fails(capsys, "encode", picture, out, "--quality", "high")
    assert "effort >= 0" in fails(capsys, "encode", picture, out, "--effort", -1)
    assert "no such folder" in fails(capsys, "encode", picture, tmp_path / "no" / "out.mfca")
    assert "is a folder" in fails(capsys, "encode", picture, tmp_path)
    assert "no such file" in fails(capsys, "encode", picture, out, "--importance", "sometimes")
    assert "checkpoint" in fails(
        capsys, "encode", picture, out, "--checkpoint", tmp_path / "absent.safetensors"
    )
    assert "checkpoint" in fails(capsys, "encode", picture, out, "--checkpoint", picture)
    assert "damaged" in fails(
        capsys, "decode", tmp_path / "damaged.mfca", tmp_path / "o.png", "--checkpoint", model
    )
    assert "damaged" in fails(capsys, "info", tmp_path / "damaged.mfca")
    assert "not an .mfca file" in fails(capsys, "info", picture)
    assert "absent.mfca" in fails(capsys, "info", tmp_path / "absent.mfca")
    assert "use .png" in fails(capsys, "decode", file, tmp_path / "o.xyz", "--checkpoint", model)
    assert "invalid choice" in fails(capsys, "frobnicate")
    assert "COMMAND" in fails(capsys)
    assert "no image" in fails(capsys, "eval", empty, "--out", tmp_path / "r.json")
    assert "not in 0..100" in fails(
        capsys, "eval", tmp_path, "--out", tmp_path / "r.json", "--qualities", 50, 120
    )
    assert "no published curve" in fails(capsys, "plot", "h267", "--out", tmp_path / "p.png")
    assert sorted(f.name for f in tmp_path.iterdir()) == ["damaged.mfca", "empty", "text.png"]


def test_a_file_of_another_model_is_named(encoded, tmp_path, capsys):
    torch.manual_seed(1)
    save_checkpoint(Codec(TINY).freeze(), tmp_path / "other.safetensors")
    err = fails(
        capsys,
        "decode",
        encoded[1],
        tmp_path / "o.png",
        "--checkpoint",
        tmp_path / "other.safetensors",
    )
    assert container.read_header(open(encoded[1], "rb").read()).model_id.hex() in err


def test_eval_and_plot(encoded, model, tmp_path, capsys):
    folder = tmp_path / "set"
    folder.mkdir()
    data.write_image(PHOTO, folder / "a.png")
    results = str(tmp_path / "mfca.json")
    words = ["eval", str(folder), "--out", results, "--qualities", "0", "30", "--checkpoint", model]
    assert main(words) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3 and "1 of 1 images are too small for MS-SSIM" in err
    found = json.load(open(results))
    assert found["settings"] == [0, 30] and found["results"]["ms-ssim-rgb"] == [None, None]
    size = len(open(encoded[1], "rb").read())
    assert found["images"][1]["bytes"] == size and found["results"]["bpp"][1] == pytest.approx(
        8 * size / 6300
    )
    assert (
        found["checkpoint"] == container.read_header(open(encoded[1], "rb").read()).model_id.hex()
    )
    assert (
        found["command"]
        == "mfca eval set --out mfca.json --qualities 0 30 --checkpoint tiny.safetensors"
    )
    words[3] = str(tmp_path / "effort.json")
    assert (
        main([*words, "--effort", "1"]) == 0 and json.load(open(words[3]))["name"] == "mfca-effort1"
    )
    capsys.readouterr()
    jpeg = str(tmp_path / "jpeg.json")
    assert (
        main(
            [
                "eval",
                str(folder),
                "--out",
                jpeg,
                "--codec",
                "jpeg",
                "--qualities",
                "10",
                "90",
                "--json",
            ]
        )
        == 0
    )
    printed = json.loads(capsys.readouterr().out)
    assert printed["results"] == json.load(open(jpeg))["results"] and "images" not in printed
    assert main(["plot", jpeg, "bpg444", "--out", str(tmp_path / "p.svg")]) == 0
    assert "BD-rate of bpg444 against jpeg (psnr-rgb)" in capsys.readouterr().out
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")


def test_module_and_version():
    words = [sys.executable, "-m", "mfca_tutorial", "--version"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("mfca ")


def test_train_has_its_own_options(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "--help"])
    assert stop.value.code == 0 and "--steps" in capsys.readouterr().out
