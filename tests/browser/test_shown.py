"""Each number in the prose of a built chapter is shown on its page."""

import nbformat
import pytest
from conftest import ROOT, absent
from prose_numbers import EXECUTED, quotes_of, unproven

CHAPTERS = sorted((ROOT / "book").glob("*.ipynb"))


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda file: file.stem)
def test_every_number_in_prose_is_shown(chapter):
    file = EXECUTED / chapter.name
    if not file.exists():
        absent("the chapter has not been executed; run `make book` first")
    notebook = nbformat.read(file, as_version=4)
    assert [str(one) for one in unproven(notebook, quotes=quotes_of())] == []
