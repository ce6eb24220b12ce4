"""The status page says which edition this is, and each page has a link for reporting a mistake."""

import re
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_ext")]

import edition  # noqa: E402
import published  # noqa: E402

from mfca_tutorial import Codec  # noqa: E402

REPOSITORY = "https://github.com/ORG/REPO/"


def test_the_table_names_edition_date_checkpoint_and_environment():
    rows = dict(line.strip("| ").split(" | ", 1) for line in edition.table().splitlines()[2:])
    assert list(rows) == ["edition", "date", "checkpoint", "environment"]
    assert rows["edition"].startswith(("First edition", "Second edition"))
    assert edition.package_version() in rows["edition"]
    assert re.match(r"20\d\d-\d\d-\d\d", rows["date"])
    assert rows["checkpoint"] == f"`{Codec.from_pretrained().model_id.hex()}`"
    assert "torch" in rows["environment"]


def test_without_git_the_date_is_that_of_the_build(tmp_path):
    day, short = edition.commit(tmp_path)
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", day)
    assert short == ""


def test_the_status_page_has_a_place_for_both_tables():
    text = (ROOT / "book" / "status.md").read_text("utf-8")
    assert text.count("<!-- edition -->") == 1
    assert text.count("```{nb-exec-table}\n```") == 1


def ended(builder="html", doctree="a text", title="7. Turn <em>integers</em> into bytes"):
    """The context of a page after the extension has seen it."""
    config = SimpleNamespace(
        html_theme_options={"repository_url": REPOSITORY}, book_version="1.2.3"
    )
    app = SimpleNamespace(config=config, builder=SimpleNamespace(name=builder))
    context = {"title": title, "body": "<p>The page.</p>"}
    published.invite_corrections(app, "book/07_entropy_coding", "page.html", context, doctree)
    return context["body"]


def test_each_page_ends_with_a_new_issue_that_names_it():
    body = ended()
    assert body.startswith("<p>The page.</p>")
    (address,) = re.findall(r'href="([^"]+)"', body)
    parts = urlsplit(address.replace("&amp;", "&"))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{REPOSITORY}issues/new"
    fields = parse_qs(parts.query)
    assert fields["title"] == ["7. Turn integers into bytes: "]
    assert "book/07_entropy_coding, version 1.2.3" in fields["body"][0]
    assert len(address) < 2000  # what every browser and GitHub accept


@pytest.mark.parametrize("options", [{"builder": "singlehtml"}, {"doctree": None}])
def test_no_link_on_paper_and_on_pages_without_text(options):
    assert ended(**options) == "<p>The page.</p>"
