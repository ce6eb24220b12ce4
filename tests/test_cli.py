"""The command line: files in, files out, exit codes, one-line errors, nothing half-written.

The model is an untrained tiny one, made here: the commands, not the pictures, are under test.
"""

import io
import json
import os
import shlex
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from PIL import Image

from mfca_tutorial import Codec, container, data
from mfca_tutorial.checkpoint import EARLIER, save_checkpoint
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
    ("encode {picture} {folder}/out.mfca --effort -1", "effort must be >= 0 and whole"),
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
    # an output that would be a lie
    ("encode {picture} {folder}/out.png", ".png is the name of another format; use .mfca"),
    ("encode {picture} {folder}/out.JPG", ".jpg is the name of another format; use .mfca"),
    ("encode {picture} {folder}/out.webp", "another format"),
    ("decode {file} {folder}/out.mfca", "writes pictures; use .png"),
    ("eval {folder} --out {folder}/text.png", "another format; use .json"),
    ("eval {folder} --out -", "standard output is not possible"),
    ("plot vtm444 --out -", "standard output is not possible"),
    ("decode {file} {folder}/out.png --checkpoint {model} --max-pixels 6299", "6300 pixels"),
    ("decode {file} {folder}/out.png --checkpoint {model} --max-pixels 0", "at least 1"),
    ("decode {file} {folder}/out.png --checkpoint {model} --max-pixels many", "--max-pixels"),
]


@pytest.mark.parametrize("command, says", BAD_COMMANDS)
def test_bad_input_is_one_line_and_exit_2(capsys, wrong, command, says):
    words = shlex.split(command.format(**wrong))
    assert says in fails(capsys, *words)
    names = sorted(file.name for file in wrong["folder"].iterdir())
    assert names == ["damaged.mfca", "empty", "text.png"]  # nothing was written


@pytest.fixture
def same(encoded, model, tmp_path):
    """Copies of the picture, the file and the model, and other names for them; their contents."""
    picture, file = encoded
    for name, original in (("a.png", picture), ("a.mfca", file), ("m.safetensors", model)):
        (tmp_path / name).write_bytes(Path(original).read_bytes())
        (tmp_path / f"link_{name}").symlink_to(tmp_path / name)
        os.link(tmp_path / name, tmp_path / f"hard_{name}")
    (tmp_path / "picture").write_bytes(Path(picture).read_bytes())
    data.write_atomic(tmp_path / "r.json", json.dumps(CURVE).encode())
    return tmp_path


CURVE = {"name": "a", "results": {"bpp": [0.1, 1], "psnr-rgb": [30, 40]}}


@pytest.mark.parametrize(
    "command",
    [
        "encode {0}/picture {0}/picture",
        "encode {0}/picture {0}/../{0.name}/picture",
        "encode {0}/a.png {0}/a.png",
        "encode {0}/a.png {0}/link_a.png",
        "encode {0}/a.png {0}/m.safetensors --checkpoint {0}/hard_m.safetensors",
        "encode {0}/a.png {0}/picture --importance {0}/picture",
        "decode {0}/a.mfca {0}/a.mfca",
        "decode {0}/a.mfca {0}/link_a.mfca",
        "decode {0}/hard_a.png {0}/a.png",
        "eval {0} --out {0}/m.safetensors --checkpoint {0}/link_m.safetensors",
        "plot {0}/r.json --out {0}/r.json",
    ],
)
def test_no_input_is_overwritten(capsys, same, command):
    before = {file.name: file.read_bytes() for file in same.iterdir()}
    err = fails(capsys, *command.format(same).split())
    assert "the same file" in err or "another format" in err or "writes pictures" in err
    assert {file.name: file.read_bytes() for file in same.iterdir()} == before


@pytest.mark.parametrize("name", ["out", "out.bin", "out.MFCA"])
def test_other_names_are_the_users_choice(encoded, model, tmp_path, name):
    succeeds("encode", encoded[0], tmp_path / name, "--quality", 30, "--checkpoint", model)
    assert (tmp_path / name).read_bytes() == Path(encoded[1]).read_bytes()


# ---- standard input and output


def from_stdin(monkeypatch, content):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(content)))


def test_encode_from_standard_input_to_standard_output(
    encoded, model, monkeypatch, capsysbinary, tmp_path
):
    monkeypatch.chdir(tmp_path)
    from_stdin(monkeypatch, Path(encoded[0]).read_bytes())
    succeeds("encode", "-", "-", "--quality", 30, "--checkpoint", model)
    out, err = capsysbinary.readouterr()
    assert out == Path(encoded[1]).read_bytes()
    assert err.startswith(b"standard output: 90 x 70")
    assert os.listdir() == []


def test_decode_from_standard_input_to_standard_output(
    encoded, model, monkeypatch, capsysbinary, tmp_path
):
    monkeypatch.chdir(tmp_path)
    stream = Path(encoded[1]).read_bytes()
    from_stdin(monkeypatch, stream)
    succeeds("decode", "-", "-", "--checkpoint", model)
    picture = Image.open(io.BytesIO(capsysbinary.readouterr().out))
    assert picture.format == "PNG"
    np.testing.assert_array_equal(picture, Codec.from_pretrained(model).decode_pixels(stream))
    assert os.listdir() == []


def test_info_from_standard_input(encoded, monkeypatch, capsys):
    from_stdin(monkeypatch, Path(encoded[1]).read_bytes())
    succeeds("info", "-")
    assert "width       90" in capsys.readouterr().out


def test_a_program_without_a_console(encoded, model, tmp_path, monkeypatch):
    """Where Python has no standard output, as under pythonw, the work is done all the same."""
    monkeypatch.setattr(sys, "stdout", None)
    succeeds("decode", encoded[1], tmp_path / "o.png", "--checkpoint", model)
    assert (tmp_path / "o.png").exists()
    assert main([str(word) for word in ("decode", encoded[1], "-", "--checkpoint", model)]) == 2


@pytest.mark.parametrize("command", ["encode", "decode"])
def test_a_terminal_gets_no_bytes(encoded, model, monkeypatch, capsys, command, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    source = encoded[0] if command == "encode" else encoded[1]
    assert "terminal" in fails(capsys, command, source, "-", "--checkpoint", model)


def test_bytes_through_real_pipes(encoded, model):
    script = "{0} encode - - --quality 30 --checkpoint {1} | {0} info - --json"
    mfca = f"{sys.executable} -m mfca_tutorial"
    run = subprocess.run(
        script.format(mfca, model),
        shell=True,
        stdin=open(encoded[0], "rb"),
        capture_output=True,
        check=True,
    )
    assert json.loads(run.stdout)["bytes"] == len(Path(encoded[1]).read_bytes())


def test_a_large_picture_is_decoded_on_request(encoded, model, tmp_path, monkeypatch, capsys):
    output = tmp_path / "o.png"
    words = ["decode", encoded[1], output, "--checkpoint", model]
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 6299)
    err = fails(capsys, *words)
    assert "the picture has 90 x 70 = 6300 pixels, more than the limit of 6299" in err
    assert "--max-pixels" in err
    assert not output.exists()
    succeeds(*words, "--max-pixels", 6300)


def test_a_file_of_another_model_is_named(encoded, tmp_path, capsys):
    torch.manual_seed(1)
    other = tmp_path / "other.safetensors"
    save_checkpoint(Codec(TINY).freeze(), other)
    err = fails(capsys, "decode", encoded[1], tmp_path / "o.png", "--checkpoint", other)
    header = container.read_header(Path(encoded[1]).read_bytes())
    assert header.model_id.hex() in err


def test_a_file_of_an_earlier_release_says_where_its_model_is(model, encoded, tmp_path, capsys):
    header, tiles = container.unpack(Path(encoded[1]).read_bytes())
    for made_by, url in EARLIER.items():
        old = tmp_path / "old.mfca"
        old.write_bytes(container.pack(replace(header, model_id=bytes.fromhex(made_by)), tiles))
        err = fails(capsys, "decode", old, tmp_path / "o.png", "--checkpoint", model)
        assert url in err


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


def test_eval_goes_on_after_a_damaged_file(folder, model, tmp_path, capsys):
    whole = (folder / "a.png").read_bytes()
    (folder / "0.png").write_bytes(whole[: len(whole) // 2])
    (folder / "b.png").write_bytes(b"")
    data.write_image(PHOTO[:50], folder / "c.png")
    out = tmp_path / "r.json"
    words = ["eval", folder, "--out", out, "--qualities", 30, "--checkpoint", model]
    assert main([str(word) for word in words]) == 2

    # the others are measured, saved and shown
    found = json.loads(out.read_text())
    assert [row["file"] for row in found["images"]] == ["a.png", "c.png"]
    bpp = [row["bpp"] for row in found["images"]]
    assert found["results"]["bpp"] == [pytest.approx(np.mean(bpp))]
    assert found["description"].startswith("mean over 2 images")
    assert [failure["file"] for failure in found["failed"]] == ["0.png", "b.png"]

    # and it is said
    printed = capsys.readouterr()
    assert len(printed.out.splitlines()) == 2
    *notes, last = printed.err.splitlines()
    assert last == f"mfca: 2 of 4 images are not in {out}; see above"
    assert f"mfca: note: {folder}/b.png: not an image that Pillow can read" in notes


def test_eval_of_damaged_files_alone_saves_nothing(folder, tmp_path, capsys):
    (folder / "a.png").write_bytes(b"")
    out = tmp_path / "r.json"
    err = fails(capsys, "eval", folder, "--out", out, "--codec", "jpeg")
    assert "no image could be measured; the first: " in err
    assert not out.exists()


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


def test_plot_says_over_what_a_bd_rate_is_taken(tmp_path, capsys):
    for name, psnr in (("a", [20, 30]), ("b", [25, 35]), ("c", [29.99, 40]), ("d", [29, 39])):
        curve = {"name": name, "results": {"bpp": [0.1, 1], "psnr-rgb": psnr}}
        (tmp_path / name).write_text(json.dumps(curve))
    succeeds("plot", *[tmp_path / name for name in "abcd"], "--out", tmp_path / "p.svg")
    out, err = capsys.readouterr()
    assert "BD-rate of b against a (psnr-rgb): -68.38 % over 25.0..30.0 dB" in out
    assert "BD-rate of c against a (psnr-rgb): none (BD-rate of a and c: the curves share" in out
    assert "only 29.99..30.00 dB" in out
    assert "BD-rate of d against a (psnr-rgb): -87.41 % over 29.0..30.0 dB" in out
    note = "mfca: note: BD-rate of a and d over 29.00..30.00 dB, 10% of the shorter curve\n"
    assert err == note


def test_a_download_that_fails_is_one_line(monkeypatch, tmp_path, capsys):
    import pooch

    def retrieve(*_, **__):
        raise RuntimeError("no\nnetwork")

    monkeypatch.delenv("MFCA_KODAK", raising=False)
    monkeypatch.setattr(pooch, "retrieve", retrieve)
    monkeypatch.chdir(tmp_path)
    err = fails(capsys, "eval", "kodak", "--out", tmp_path / "r.json", "--codec", "jpeg")
    assert "kodim01.png: no download (no network)" in err
    assert "MFCA_KODAK" in err


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
