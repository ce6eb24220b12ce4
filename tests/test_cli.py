"""The command line: files in, files out, exit codes, one-line errors, nothing half-written.

The model is an untrained tiny one, made here: the commands, not the pictures, are under test.
"""

import json
import shlex
import subprocess
import sys
import time
from pathlib import Path

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
    """The checkpoint of a tiny model, as a string."""
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


def succeeds(*words):
    """Runs a command that must end well."""
    assert main([str(word) for word in words]) == 0


def fails(capsys, *words):
    """Runs a command that must fail; returns its one line on stderr."""
    try:
        status = main([str(word) for word in words])
    except SystemExit as stop:  # argparse
        status = stop.code
    out, err = capsys.readouterr()
    assert status == 2
    assert out == ""
    assert err.startswith("mfca")
    assert err.count("\n") == 1, err
    return err


# ---- encode and decode


def test_file_holds_what_the_library_makes(encoded, model):
    _, file = encoded
    assert Path(file).read_bytes() == Codec.from_pretrained(model).compress(PHOTO, 30)


def test_file_decodes_to_the_pixels_of_the_library(encoded, model, tmp_path):
    _, file = encoded
    succeeds("decode", file, tmp_path / "b.png", "--checkpoint", model)
    x_hat = Codec.from_pretrained(model).decompress(Path(file).read_bytes())
    np.testing.assert_array_equal(data.read_image(tmp_path / "b.png")[0], data.to_image(x_hat))


def test_encode_says_how_large_the_file_is(encoded, model, tmp_path, capsys):
    succeeds("encode", encoded[0], tmp_path / "b.mfca", "--checkpoint", model)
    size = (tmp_path / "b.mfca").stat().st_size
    assert f"90 x 70, {size} bytes, {8 * size / 6300:.3f} bpp" in capsys.readouterr().out


def test_grey_pictures_come_back_grey(model, tmp_path):
    Image.fromarray(PHOTO[..., 0]).save(tmp_path / "a.png")
    succeeds("encode", tmp_path / "a.png", tmp_path / "a.mfca", "--checkpoint", model)
    succeeds("decode", tmp_path / "a.mfca", tmp_path / "b.png", "--checkpoint", model)
    assert Image.open(tmp_path / "b.png").mode == "L"


def test_notices_go_to_stderr(model, tmp_path, capsys):
    Image.new("RGBA", (9, 9), (255, 0, 0, 100)).save(tmp_path / "a.png")
    succeeds("encode", tmp_path / "a.png", tmp_path / "a.mfca", "--checkpoint", model)
    err = capsys.readouterr().err
    assert "note: " in err
    assert "over white" in err


@pytest.mark.parametrize(
    "options, wanted, has_map",
    [
        ("--importance flat", {}, False),
        ("--importance auto", {"importance": "auto"}, True),
        ("--importance {mask}", {"importance": np.float32([[-1, 1]])}, True),
        ("--effort 2", {"effort": 2}, False),
    ],
)
def test_importance_and_effort_reach_the_file(encoded, model, tmp_path, options, wanted, has_map):
    mask = tmp_path / "mask.png"
    Image.fromarray(np.uint8([[0, 255]])).save(mask)
    words = shlex.split(options.format(mask=mask))
    succeeds("encode", encoded[0], tmp_path / "b.mfca", *words, "--checkpoint", model)
    stream = (tmp_path / "b.mfca").read_bytes()
    assert container.read_header(stream).has_map == has_map
    assert stream == Codec.from_pretrained(model).compress(PHOTO, 50, **wanted)


# ---- info


def test_info_in_words(encoded, capsys):
    succeeds("info", encoded[1])
    assert "width       90" in capsys.readouterr().out


def test_info_in_json(encoded, capsys):
    succeeds("info", encoded[1], "--json")
    facts = json.loads(capsys.readouterr().out)
    stream = Path(encoded[1]).read_bytes()
    expected = {
        "bytes": len(stream),
        "model": container.read_header(stream).model_id.hex(),
        "width": 90,
        "height": 70,
        "quality": 30,
        "grey": False,
    }
    assert facts | expected == facts
    streams = facts["map_bytes"] + facts["z_bytes"] + facts["y_bytes"]
    assert 0 < len(stream) - streams <= 32


def test_info_is_quick_and_needs_no_torch(encoded):
    code = (
        "import sys; from mfca_tutorial.cli import main; main(sys.argv[1:]); "
        "sys.exit(any(name in sys.modules for name in ('torch', 'matplotlib', 'skimage', 'scipy')))"
    )
    seconds = []
    for _ in range(3):  # the best of three: other programs run here too
        start = time.perf_counter()
        run = subprocess.run([sys.executable, "-c", code, "info", encoded[1]], check=False)
        seconds.append(time.perf_counter() - start)
        assert run.returncode == 0
    # 0.3 s on an idle machine, and torch alone takes longer than 1 s to import
    assert min(seconds) < 1


# ---- what goes wrong


@pytest.fixture
def wrong(encoded, model, tmp_path):
    """Names for the command lines below, and a folder of files that no command can use."""
    picture, file = encoded
    folder = tmp_path / "wrong"
    (folder / "empty").mkdir(parents=True)
    (folder / "text.png").write_text("no\npicture")
    damaged = bytearray(Path(file).read_bytes())
    damaged[len(damaged) // 2] ^= 1
    (folder / "damaged.mfca").write_bytes(damaged)
    return {"picture": picture, "file": file, "model": model, "folder": folder}


BAD_COMMANDS = [
    ("encode {folder}/absent.png {folder}/out.mfca", "no such file"),
    ("encode {folder}/text.png {folder}/out.mfca", "not an image"),
    ("encode {picture} {folder}/out.mfca --quality 101", "not in 0..100"),
    ("encode {picture} {folder}/out.mfca --quality nan", "not in 0..100"),
    ("encode {picture} {folder}/out.mfca --quality high", "--quality"),
    ("encode {picture} {folder}/out.mfca --effort -1", "effort must be >= 0"),
    ("encode {picture} {folder}/no/out.mfca", "no such folder"),
    ("encode {picture} {folder}", "is a folder"),
    ("encode {picture} {folder}/out.mfca --importance sometimes", "no such file"),
    ("encode {picture} {folder}/out.mfca --checkpoint {folder}/absent.safetensors", "checkpoint"),
    ("encode {picture} {folder}/out.mfca --checkpoint {picture}", "checkpoint"),
    ("decode {folder}/damaged.mfca {folder}/o.png --checkpoint {model}", "damaged"),
    ("decode {file} {folder}/o.xyz --checkpoint {model}", "use .png"),
    ("info {folder}/damaged.mfca", "damaged"),
    ("info {picture}", "not a .mfca file"),
    ("info {folder}/absent.mfca", "absent.mfca"),
    ("frobnicate", "invalid choice"),
    ("", "COMMAND"),
    ("eval {folder}/empty --out {folder}/r.json", "no image"),
    ("eval {folder} --out {folder}/r.json --qualities 50 120", "not in 0..100"),
    ("plot h267 --out {folder}/p.png", "no published curve"),
]


@pytest.mark.parametrize("command, says", BAD_COMMANDS)
def test_bad_input_is_one_line_and_exit_2(capsys, wrong, command, says):
    words = shlex.split(command.format(**wrong))
    assert says in fails(capsys, *words)
    names = sorted(file.name for file in wrong["folder"].iterdir())
    assert names == ["damaged.mfca", "empty", "text.png"]  # nothing was written


def test_a_file_of_another_model_is_named(encoded, tmp_path, capsys):
    torch.manual_seed(1)
    other = tmp_path / "other.safetensors"
    save_checkpoint(Codec(TINY).freeze(), other)
    err = fails(capsys, "decode", encoded[1], tmp_path / "o.png", "--checkpoint", other)
    header = container.read_header(Path(encoded[1]).read_bytes())
    assert header.model_id.hex() in err


# ---- eval and plot


@pytest.fixture
def folder(tmp_path):
    """A folder with one picture, which is too small for MS-SSIM."""
    folder = tmp_path / "set"
    folder.mkdir()
    data.write_image(PHOTO, folder / "a.png")
    return folder


def test_eval_prints_a_table_and_writes_a_result(folder, encoded, model, tmp_path, capsys):
    out = tmp_path / "mfca.json"
    succeeds("eval", folder, "--out", out, "--qualities", 0, 30, "--checkpoint", model)

    # what it says
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 3
    assert "1 of 1 images are too small for MS-SSIM" in printed.err

    # what it writes
    found = json.loads(out.read_text())
    stream = Path(encoded[1]).read_bytes()
    assert found["settings"] == [0, 30]
    assert found["results"]["ms-ssim-rgb"] == [None, None]
    assert found["images"][1]["bytes"] == len(stream)
    assert found["results"]["bpp"][1] == pytest.approx(8 * len(stream) / 6300)
    assert found["checkpoint"] == container.read_header(stream).model_id.hex()
    command = "mfca eval set --out mfca.json --qualities 0 30 --checkpoint tiny.safetensors"
    assert found["command"] == command


def test_eval_names_the_effort(folder, model, tmp_path):
    out = tmp_path / "effort.json"
    options = ["--qualities", 30, "--effort", 1, "--checkpoint", model]
    succeeds("eval", folder, "--out", out, *options)
    assert json.loads(out.read_text())["name"] == "mfca-effort1"


def test_eval_of_a_classical_codec_in_json_and_its_plot(folder, tmp_path, capsys):
    out = tmp_path / "jpeg.json"
    options = ["--codec", "jpeg", "--qualities", 10, 90, "--json"]
    succeeds("eval", folder, "--out", out, *options)
    printed = json.loads(capsys.readouterr().out)
    assert printed["results"] == json.loads(out.read_text())["results"]
    assert "images" not in printed

    succeeds("plot", out, "bpg444", "--out", tmp_path / "p.svg")
    assert "BD-rate of bpg444 against jpeg (psnr-rgb)" in capsys.readouterr().out
    assert (tmp_path / "p.svg").read_text().startswith("<?xml")


# ---- the rest


def test_module_and_version():
    words = [sys.executable, "-m", "mfca_tutorial", "--version"]
    run = subprocess.run(words, capture_output=True, text=True, check=True)
    assert run.stdout.startswith("mfca ")


def test_train_has_its_own_options(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["train", "--help"])
    assert stop.value.code == 0
    assert "--steps" in capsys.readouterr().out


def test_the_codecs_of_eval_are_those_that_can_be_measured():
    from mfca_tutorial import cli
    from mfca_tutorial.evaluation import classical

    assert cli.CLASSICAL == tuple(classical.CODECS)
