"""The codec in JavaScript against the Python package: the same latents, and the same bytes again.

What needs Node alone: the golden files and damaged ones, through the modules of `web/` as they are.
What needs the exported networks, too (`make web`): files that cross both ways, the shell command.
"""

import base64
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from mfca_tutorial import container, data
from mfca_tutorial.checkpoint import save_checkpoint
from mfca_tutorial.codec import Codec
from mfca_tutorial.config import TINY
from mfca_tutorial.container import BitstreamError
from mfca_tutorial.entropy import tables as coding
from mfca_tutorial.entropy.counts import gaussian_tables, table_from_pmf
from mfca_tutorial.show import html

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tools"))

import export_web  # noqa: E402
import fuzz  # noqa: E402
import portability  # noqa: E402
from portability import GOLDEN, hashes_of  # noqa: E402
from web_crossing import Case, in_node, javascript_to_python, python_to_javascript  # noqa: E402

FORMS = ("energy", "quality")
TEST_EXPORTS = ROOT / "_build" / "web-tests"  # kept from one run of the tests to the next
MUTANTS = 250


def absent(what):
    """Skip on somebody's laptop, fail where everything is installed (continuous integration)."""
    (pytest.fail if os.environ.get("CI") else pytest.skip)(what)


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """These networks are small: several threads would only wait for one another."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def codecs():
    return {form: portability.golden(form) for form in FORMS}


@pytest.fixture(scope="module", params=FORMS)
def form(request):
    return request.param


@pytest.fixture(scope="module")
def integers(form, tmp_path_factory):
    """The exact half of a golden model, exported: it needs neither npm nor onnx."""
    if shutil.which("node") is None:
        absent("no node on this machine")
    folder = tmp_path_factory.mktemp(f"integers-{form}")
    checkpoint = GOLDEN / form / "model.safetensors"
    export_web.write_exact(checkpoint, folder / "exact.safetensors")
    export_web.write_manifest(checkpoint, folder, key="")
    return folder


def exported(checkpoint, name):
    """A whole exported model, or no test."""
    missing = export_web.missing()
    if missing:
        absent(f"{missing}: run `make web`")
    folder = TEST_EXPORTS / name
    export_web.export(checkpoint, folder)
    return folder


@pytest.fixture(scope="module")
def model(form):
    """A golden model, with its networks and the fast kernel."""
    return exported(GOLDEN / form / "model.safetensors", form)


# ---- the exact half, on files of the past


def check_golden(folder, form, tmp_path, *flags):
    files = sorted((GOLDEN / form).glob("*.mfca"))
    jobs = []
    for file in files:
        jobs.append({"do": "latents", "file": file})
        jobs.append({"do": "recode", "file": file, "to": tmp_path / file.name})
    results = in_node(folder, jobs, *flags)
    hashes = json.loads((GOLDEN / form / "hashes.json").read_text())
    assert {f.stem: r.get("hashes", r) for f, r in zip(files, results[::2])} == hashes
    changed = [f.stem for f in files if (tmp_path / f.name).read_bytes() != f.read_bytes()]
    assert not changed


def test_golden_files_have_the_same_latents_and_the_same_bytes_again(integers, form, tmp_path):
    check_golden(integers, form, tmp_path)


def test_golden_files_with_the_fast_kernel(model, form, tmp_path):
    check_golden(model, form, tmp_path)


@pytest.mark.parametrize("passes", [1, 2])
def test_other_numbers_of_passes(passes, tmp_path):
    if shutil.which("node") is None:
        absent("no node on this machine")
    torch.manual_seed(0)
    codec = Codec(replace(TINY, passes=passes))
    with torch.no_grad():
        codec.g_a.down3.weight.mul_(60)
    save_checkpoint(codec.freeze(), tmp_path / "model.safetensors")
    codec = Codec.from_pretrained(tmp_path / "model.safetensors")
    export_web.write_exact(tmp_path / "model.safetensors", tmp_path / "exact.safetensors")
    export_web.write_manifest(tmp_path / "model.safetensors", tmp_path, key="")

    file = codec.compress(data.photograph("chelsea")[:70, :90], 60)
    (tmp_path / "a.mfca").write_bytes(file)
    (result,) = in_node(tmp_path, [{"do": "latents", "file": tmp_path / "a.mfca"}])
    assert result == {"hashes": hashes_of(codec, file)}


def test_streams_of_any_symbols_are_the_same_bytes(integers):
    """Random tables, and symbols of which many are far outside of them."""
    rng = np.random.default_rng(0)
    gaussian = gaussian_tables()
    jobs = []
    expected = []
    for k in range(24):
        tables = [gaussian[i] for i in rng.integers(0, 64, 5)]
        for _ in range(3):
            pmf = rng.random(rng.integers(1, 400)) ** 6
            tables.append(table_from_pmf(pmf, int(rng.integers(-50, 50))))
        n = int(rng.choice([0, 1, 2, 17, 1500]))
        index = rng.integers(0, len(tables), n)
        scale = rng.choice([0.01, 1, 30, 1e4, 1e8])
        symbols = np.round(rng.standard_normal(n) * scale).clip(-(2**31), 2**31 - 1)
        if n > 2 and k % 3 == 0:
            symbols[:2] = [-(2**31), 2**31 - 1]
        symbols = symbols.astype(np.int32)

        encoder = coding.new_encoder()
        coding.encode_indexed(encoder, symbols, index, tables)
        expected.append((coding.finish(encoder), symbols.tolist()))
        plain = [{"offset": t.offset, "counts": t.counts.tolist()} for t in tables]
        job = {"do": "stream", "tables": plain}
        jobs.append({**job, "index": index.tolist(), "symbols": symbols.tolist()})
    found = [(base64.b64decode(r["bytes"]), r["decoded"]) for r in in_node(integers, jobs)]
    assert found == expected


@pytest.mark.parametrize("relu", [False, True])
def test_sums_near_the_limit_are_those_of_64_bit_integers(relu, model):
    """Plain loops and kernel, against numpy's int64: sums up to 2^52, of numbers of any size."""
    rng = np.random.default_rng(1)
    inputs, outputs, rows = 32, 12, 7
    x = rng.integers(-(2**23), 2**23, (rows, inputs), endpoint=True)
    x[0] = 2**23
    weight = rng.integers(-(2**15), 2**15, (outputs, inputs))
    weight[0] = 2**15 - 1
    bias = rng.integers(-(2**24), 2**24, outputs)

    sums = x @ weight.T + bias
    wanted = np.clip((sums + 2**11) >> 12, 0 if relu else -(2**23), 2**23)
    layer = {"inputs": inputs, "outputs": outputs, "relu": relu}
    layer |= {"weight": weight.ravel().tolist(), "bias": bias.tolist()}
    (result,) = in_node(model, [{"do": "sums", "x": x.ravel().tolist(), "layer": layer}])
    assert np.abs(sums).max() > 2**42
    assert result["plain"] == wanted.ravel().tolist()
    assert result["fast"] == wanted.ravel().tolist()


def test_damaged_and_forged_files_are_refused_where_python_refuses_them(
    integers, form, codecs, tmp_path
):
    """Mutants of the golden files: the same verdict, and the same latents where there are any."""
    codec = codecs[form]
    files = [file for _, _, file in fuzz.mutants(codec, form, seed=5, first=0, n=MUTANTS)]
    files += [file.read_bytes() for file in sorted((ROOT / "tests" / "fuzz_cases").glob("*.mfca"))]
    jobs = []
    expected = []
    for i, file in enumerate(files):
        try:
            codec_reads(codec, file)
            expected.append({"hashes": hashes_of(codec, file)})
        except BitstreamError:
            expected.append("BitstreamError")
        (tmp_path / f"{i}.mfca").write_bytes(file)
        name = tmp_path / f"{i}.mfca"
        jobs.append({"do": "latents", "file": name, "maxPixels": fuzz.MAX_PIXELS})
    results = in_node(integers, jobs)
    verdicts = [result.get("error", result) for result in results]
    assert verdicts == expected
    assert 0 < expected.count("BitstreamError") < len(files)
    for result in results:
        assert result.get("message", "words").isprintable()


def codec_reads(codec, file):
    """Everything that decoding checks, without computing the pixels. Raises BitstreamError."""
    header = fuzz.unpack(file)[0] if len(file) else None
    if header is None:
        raise BitstreamError("empty")
    if header.width * header.height > fuzz.MAX_PIXELS or header.model_id != codec.model_id:
        raise BitstreamError("not decoded here")
    portability.latents_of(codec, file)


# what the explorable of chapter 9 says about files: [name, first byte, length, meaning] each
FIELDS = """
import { readFileSync } from "node:fs";
import { runInThisContext } from "node:vm";
const [web, scripts, ...files] = process.argv.slice(1);
const { unpack } = await import(`${web}/container.mjs`);
for (const name of ["touch.js", "bytes.js"]) {
  runInThisContext(readFileSync(`${scripts}/${name}`, "utf8"));
}
const fields = files.map((file) => {
  const bytes = new Uint8Array(readFileSync(file));
  return mfca.fieldsOf(bytes, unpack(bytes));
});
console.log(JSON.stringify(fields));
"""


def test_chapter_9_names_the_fields_of_any_file(form):
    if shutil.which("node") is None:
        absent("no node on this machine")
    files = sorted((GOLDEN / form).glob("*.mfca"))
    command = ["node", "--input-type=module", "-e", FIELDS, ROOT / "web", html.ASSETS, *files]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for file, fields in zip(files, json.loads(done.stdout), strict=True):
        content = file.read_bytes()
        header, tiles = container.unpack(content)
        meanings = {name: meaning for name, *_, meaning in fields}
        pieces = {name: content[start : start + size] for name, start, size, _ in fields}

        # one after another, from the first byte to the last
        assert b"".join(pieces.values()) == content
        assert meanings["model id"] == pieces["model id"].hex() == header.model_id.hex()
        assert meanings["width"] == f"{header.width} pixels"
        assert meanings["quality"] == f"{header.quality:g} (in half steps)"
        flags = {"grey": header.grey, "map": header.has_map, "tiled": header.tile > 0}
        assert meanings["flags"] == (" + ".join(name for name in flags if flags[name]) or "none")

        # the streams that are not empty
        for k, tile in enumerate(tiles):
            where = f" of tile {k + 1}" if header.tile else ""
            for name in ("map", "z", "y"):
                stream = getattr(tile, name)
                assert pieces.get(f"stream {name}{where}", b"") == stream
                assert f"{name}: {len(stream):,} byte" in meanings[f"lengths of the streams{where}"]


# ---- files that cross


def cases():
    """Sizes, qualities, a learned map, grey, one block, tiles."""
    cat = data.photograph("chelsea")[40:168, 110:302]
    grey = np.repeat(cat[:100, :70, 1:2], 3, 2)
    long = np.tile(data.photograph("rocket")[200:260, 100:400], (1, 4, 1))[:, :1100]
    return [
        Case(cat, 50),
        Case(cat, 0),
        Case(cat, 100),
        Case(cat, 62.5, "auto"),
        Case(cat[:65, :67], 35),
        Case(cat[:1, :1], 80),
        Case(grey, 60),
        Case(grey, 30, "auto"),
        Case(np.zeros((64, 64, 3), np.uint8), 50),
        Case(long, 40),
    ]


def test_files_of_python_are_read(model, form, codecs, tmp_path):
    found = python_to_javascript(codecs[form], model, cases(), tmp_path)
    assert (found.files, found.differing_files) == (len(cases()), 0)
    assert found.largest_difference <= 1


def test_files_of_javascript_are_read(model, form, codecs, tmp_path):
    found = javascript_to_python(codecs[form], model, cases(), tmp_path)
    assert (found.files, found.differing_files) == (len(cases()), 0)
    assert found.largest_difference <= 1


def test_a_map_of_levels_is_what_python_makes_of_the_same_mask(model, form, codecs, tmp_path):
    """And the parts add up to the file."""
    picture = data.photograph("coffee")[:128, :192]
    levels = np.array([[0, 4, 8], [12, 15, 1]])
    mask = np.kron(levels / 8 - 1, np.ones((64, 64)))
    theirs = codecs[form].compress(picture, 50, importance=mask)

    Image.fromarray(picture).save(tmp_path / "a.ppm")
    job = {"do": "encode", "file": tmp_path / "a.ppm", "to": tmp_path / "a.mfca"}
    job |= {"quality": 50, "map": levels.ravel().tolist()}
    wrong = {**job, "map": [8] * 5}
    result, refused = in_node(model, [job, wrong])
    ours = (tmp_path / "a.mfca").read_bytes()
    assert fuzz.unpack(ours)[1][0].map == fuzz.unpack(theirs)[1][0].map
    assert abs(len(ours) - len(theirs)) <= 4

    parts = result["parts"]
    assert sum(parts["passes"]) + parts["z"] + parts["map"] + parts["header"] == pytest.approx(
        len(ours)
    )
    assert parts["map"] == len(fuzz.unpack(ours)[1][0].map)
    assert refused["error"] == "RangeError"


@pytest.mark.parametrize("form", ["energy"], indirect=True)
def test_a_quality_outside_of_the_range_is_refused(model, tmp_path):
    Image.new("RGB", (8, 8)).save(tmp_path / "a.ppm")
    job = {"do": "encode", "file": tmp_path / "a.ppm", "to": tmp_path / "b"}
    results = in_node(model, [{**job, "quality": wrong} for wrong in (-1, 100.5, None, "50")])
    assert [result["error"] for result in results] == ["RangeError"] * 4
    assert all("quality must be in 0..100" in result["message"] for result in results)


def test_the_shipped_model_crosses_both_ways(tmp_path):
    """One small picture; `tools/portability.py --web` tries sixty."""
    if not (export_web.OUT / export_web.MANIFEST).exists():
        absent("no exported codec; run `make web` first")
    codec = Codec.from_pretrained()
    cat = [Case(data.photograph("chelsea")[40:168, 110:302], 45, "auto")]
    for crossed in (python_to_javascript, javascript_to_python):
        found = crossed(codec, export_web.OUT, cat, tmp_path)
        assert (found.files, found.differing_files) == (1, 0)
        assert found.largest_difference <= 1


# ---- in the shell


def shell(folder, *words):
    return subprocess.run(
        ["node", ROOT / "web" / "mfca.mjs", *map(str, words)],
        env={**os.environ, "MFCA_WEB": str(folder)},
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("form", ["quality"], indirect=True)
def test_the_shell_encodes_and_decodes(model, form, codecs, tmp_path):
    picture = data.photograph("chelsea")[40:168, 110:302]
    Image.fromarray(picture).save(tmp_path / "a.ppm")
    run = shell(model, "encode", tmp_path / "a.ppm", tmp_path / "a.mfca", "--quality", "70")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    run = shell(model, "decode", tmp_path / "a.mfca", tmp_path / "b.ppm")
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")

    shown, _ = data.read_image(tmp_path / "b.ppm")
    theirs = codecs[form].decode_pixels((tmp_path / "a.mfca").read_bytes())
    assert np.abs(shown.astype(int) - theirs).max() <= 1
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.mfca", "a.ppm", "b.ppm"]


def bad_input(tmp_path):
    golden = (GOLDEN / "energy" / "colour.mfca").read_bytes()
    (tmp_path / "cut.mfca").write_bytes(golden[:-9])
    (tmp_path / "text.mfca").write_text("not a picture")
    (tmp_path / "cut.ppm").write_bytes(b"P6 100 100 255\n123")
    (tmp_path / "other.mfca").write_bytes((GOLDEN / "quality" / "colour.mfca").read_bytes())
    return {
        "damaged or cut short": ("decode", "cut.mfca"),
        "not a .mfca file": ("recode", "text.mfca"),
        "made by model": ("decode", "other.mfca"),
        "cut short": ("encode", "cut.ppm"),
        "no such file": ("decode", "none.mfca"),
        "usage": ("explode", "cut.mfca"),
    }


@pytest.mark.parametrize("form", ["energy"], indirect=True)
@pytest.mark.parametrize("case", range(6))
def test_bad_input_ends_in_one_line_and_no_file(case, integers, tmp_path):
    words, (command, name) = list(bad_input(tmp_path).items())[case]
    run = shell(integers, command, tmp_path / name, tmp_path / "out")
    assert run.returncode == 1
    assert len(run.stderr.splitlines()) == 1
    assert run.stderr.startswith("mfca.mjs: ")
    assert words in run.stderr
    assert not (tmp_path / "out").exists()


def test_without_an_exported_model_the_shell_says_how_to_get_one(tmp_path):
    if shutil.which("node") is None:
        absent("no node on this machine")
    file = GOLDEN / "energy" / "colour.mfca"
    run = shell(tmp_path, "decode", file, tmp_path / "out.ppm")
    assert run.returncode == 1
    assert "make web" in run.stderr
    assert len(run.stderr.splitlines()) == 1


# ---- the export


def test_the_manifest_lists_every_file_that_is_loaded(model):
    manifest = json.loads((model / "manifest.json").read_text())
    for name, said in manifest["files"].items():
        content = (model / name).read_bytes()
        assert said == {"bytes": len(content), "sha256": export_web.sha256(model / name)}
    assert {"analysis.onnx", "hyper.onnx", "synthesis.onnx"} <= set(manifest["files"])
    assert (model / "codec.mjs").read_bytes() == (ROOT / "web" / "codec.mjs").read_bytes()


def test_a_graph_without_its_small_constant_is_noticed():
    onnx = pytest.importorskip("onnx")
    import web_graphs

    def graph(constant):
        nodes = [
            onnx.helper.make_node("Add", ["x", "floor"], ["e"]),
            onnx.helper.make_node("Log", ["e"], ["y"]),
        ]
        value = onnx.numpy_helper.from_array(np.float32([constant]), "floor")
        sides = [onnx.helper.make_tensor_value_info(n, onnx.TensorProto.FLOAT, [1]) for n in "xy"]
        return onnx.helper.make_model(
            onnx.helper.make_graph(nodes, "g", sides[:1], sides[1:], initializer=[value])
        )

    web_graphs.check_logarithms(graph(1e-9), 1)
    with pytest.raises(ValueError, match="0 of 1"):
        web_graphs.check_logarithms(graph(0.0), 1)
    with pytest.raises(ValueError, match="1 of 2"):
        web_graphs.check_logarithms(graph(1e-9), 2)
