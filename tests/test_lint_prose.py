"""The prose linter finds what it is for, and lets plain sentences pass."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tools"))
import lint_prose  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def checks():
    lint_prose.CheckRegistry().register_many(lint_prose.ALL_CHECKS)


@pytest.mark.parametrize(
    "sentence, words",
    [
        ("It costs two bits a symbol.", "bits a symbol"),
        ("There is one row a channel.", "one row a channel"),
        ("Work is dear there.", "dear"),
        ("The step shrinks for ever.", "for ever"),
        ("It decodes on any telephone.", "telephone"),
        ("Obviously this is lossless, of course.", "of course"),
        ("At the end of the day, it is a codec.", "end of the day"),  # proselint's
        ("We need to optimize it.", "optimiz"),
    ],
)
def test_finds(sentence, words):
    found = lint_prose.complaints(sentence)
    assert any(words in place for place, _ in found)


@pytest.mark.parametrize(
    "sentence",
    [
        "It costs two bits per symbol, and a block of 8 x 8 pixels has 64 of them.",
        "A table of whole counts is a step towards a file.",
        "The decoder reads one, and a pixel changes.",
    ],
)
def test_lets_pass(sentence):
    assert lint_prose.complaints(sentence) == []


def test_reads_prose_and_not_code(tmp_path):
    file = tmp_path / "page.md"
    file.write_text(
        "Text with `bits a symbol` in code.\n\n```python\n# bits a symbol\n```\n", "utf-8"
    )
    paragraphs = list(lint_prose.spoken(file))
    assert paragraphs
    assert not any(lint_prose.complaints(paragraph) for paragraph in paragraphs)
