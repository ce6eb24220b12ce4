"""The same weights are the same file, and a file that is no checkpoint is told in one line."""

import hashlib
import json

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from mfca_tutorial import Codec, data
from mfca_tutorial.checkpoint import read_checkpoint, save_checkpoint
from mfca_tutorial.config import TINY

NOTES = {f"note {i}": f"\u00e4 {i}" for i in range(12)}  # of 13! orders one is ours


@pytest.fixture(scope="module")
def codec():
    torch.manual_seed(0)
    return Codec(TINY).freeze()


@pytest.fixture
def file(codec, tmp_path):
    save_checkpoint(codec, tmp_path / "m.safetensors", NOTES)
    return tmp_path / "m.safetensors"


def test_the_same_weights_are_the_same_file(codec, file):
    first = file.read_bytes()
    backwards = dict(reversed(NOTES.items()))
    for notes in (NOTES, backwards):
        save_checkpoint(codec, file, notes)
        assert file.read_bytes() == first


def test_other_notes_are_another_file(codec, file):
    first = file.read_bytes()
    save_checkpoint(codec, file, NOTES | {"note 0": "other"})
    assert file.read_bytes() != first


def test_a_codec_in_training_is_not_saved(tmp_path):
    """It has no tables: the file would be one that nothing can be decoded with."""
    with pytest.raises(RuntimeError, match="freeze"):
        save_checkpoint(Codec(TINY), tmp_path / "m.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_library_reads_everything_back(codec, file):
    with safe_open(file, "pt") as opened:
        assert opened.metadata() == {"config": TINY.to_json(), **NOTES}
    length = int.from_bytes(file.read_bytes()[:8], "little")
    assert length % 8 == 0  # so that the tensors are aligned
    assert sorted(json.loads(file.read_bytes()[8 : 8 + length])["__metadata__"]) == sorted(
        ["config", *NOTES]
    )
    for name, value in Codec.from_pretrained(file).state_dict().items():
        assert torch.allclose(value, codec.state_dict()[name], atol=2e-3), name


def test_the_shipped_file_is_as_it_was():
    digest = hashlib.sha256(data.path("mfca.safetensors").read_bytes()).hexdigest()
    card = data.path("MODEL_CARD.md").read_text("utf-8")
    assert digest[:16] in card


def changed(file, change):
    """Save a checkpoint again with other tensors."""
    tensors = load_file(file)
    change(tensors)
    with safe_open(file, "pt") as opened:
        metadata = opened.metadata()
    save_file(tensors, file, metadata)


def z_tables(tensors):
    return [name for name in tensors if name.startswith("tables.z.")]


def test_tables_that_are_missing_are_one_line(file):
    changed(file, lambda tensors: [tensors.pop(name) for name in z_tables(tensors)])
    with pytest.raises(ValueError, match="is not an mfca checkpoint .its coding tables") as caught:
        read_checkpoint(file)
    assert "\n" not in str(caught.value)


@pytest.mark.filterwarnings("ignore:invalid value")  # NaN as a whole number
@pytest.mark.parametrize("name", ["offset", "length", "counts"])
@pytest.mark.parametrize("kind", ["missing", "short", "negative", "floats"])
def test_tables_that_are_none_are_one_line(file, name, kind):
    def change(tensors):
        vector = tensors.pop(f"tables.z.{name}")
        if kind == "short":
            tensors[f"tables.z.{name}"] = vector[:-1].clone()
        if kind == "negative":
            tensors[f"tables.z.{name}"] = -vector.abs() - 1
        if kind == "floats":
            tensors[f"tables.z.{name}"] = torch.full(vector.shape, torch.nan)

    changed(file, change)
    if (name, kind) in {("offset", "negative"), ("offset", "floats")}:
        return  # another offset is as good as any
    with pytest.raises(ValueError, match="is not an mfca checkpoint"):
        Codec.from_pretrained(file)


def test_every_weight_must_be_there(file):
    names = [name for name in load_file(file) if not name.startswith("tables.")]
    name = names[len(names) // 2]
    changed(file, lambda tensors: tensors.pop(name))
    with pytest.raises(ValueError, match="is not an mfca checkpoint") as caught:
        Codec.from_pretrained(file)
    assert "\n" not in str(caught.value)


def test_a_weight_of_another_shape(file):
    changed(file, lambda tensors: tensors.update({"gains.log_gain": torch.zeros(1)}))
    with pytest.raises(ValueError, match="is not an mfca checkpoint.*gains.log_gain") as caught:
        Codec.from_pretrained(file)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("length", [0, 5, 8, 100, 5000])
def test_a_file_that_is_cut_short(file, length):
    file.write_bytes(file.read_bytes()[:length])
    with pytest.raises(ValueError, match="is not an mfca checkpoint"):
        Codec.from_pretrained(file)
