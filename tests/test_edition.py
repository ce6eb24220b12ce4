"""What pages say of themselves: edition, last run, how to cite, licences, where to write."""

import html
import json
import re
import sys
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "tools"), str(ROOT / "book" / "_ext")]

import edition  # noqa: E402
import page_foot  # noqa: E402
from pybtex.database import parse_string  # noqa: E402

from mfca_tutorial import Codec, data  # noqa: E402

REPOSITORY = "https://github.com/ORG/REPO/"


def test_the_table_names_edition_date_checkpoint_and_environment():
    rows = dict(line.strip("| ").split(" | ", 1) for line in edition.table().splitlines()[2:])
    assert list(rows) == ["edition", "address", "date", "checkpoint", "environment"]
    assert rows["edition"].startswith(("First edition", "Second edition"))
    assert edition.package_version() in rows["edition"]
    assert rows["address"] == f"`/{edition.folder()}/`"
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


def ended(builder="html", doctree="a text", title="7. Turn <em>integers</em> into bytes", **run):
    """The context of a page after the extension has seen it."""
    config = SimpleNamespace(
        html_theme_options={"repository_url": REPOSITORY},
        html_title="The book",
        author="The authors",
        book_version="1.2.3",
        book_date="2027-03-08",
        book_folder="v1",
    )
    srcdir = run.get("srcdir", ROOT)
    app = SimpleNamespace(config=config, builder=SimpleNamespace(name=builder), srcdir=srcdir)
    context = {"title": title, "body": "<p>The page.</p>"}
    page_foot.end(app, "book/07_entropy_coding", "page.html", context, doctree)
    return context["body"]


def test_each_page_ends_with_a_new_issue_that_names_it():
    body = ended()
    assert body.startswith("<p>The page.</p>")
    (address,) = re.findall(r'href="([^"]+issues/new[^"]+)"', body)
    parts = urlsplit(address.replace("&amp;", "&"))
    assert f"{parts.scheme}://{parts.netloc}{parts.path}" == f"{REPOSITORY}issues/new"
    fields = parse_qs(parts.query)
    assert fields["title"] == ["7. Turn integers into bytes: "]
    assert "book/07_entropy_coding, version 1.2.3" in fields["body"][0]
    assert len(address) < 2000  # what every browser and GitHub accept


def test_each_page_can_be_cited_at_the_address_of_its_edition():
    entry = html.unescape(re.search(r"<pre>(.*?)</pre>", ended(), re.S)[1])
    ((key, read),) = parse_string(entry, "bibtex").entries.items()
    assert key == "mfca07entropycoding2027"
    assert read.type == "misc"
    assert read.fields["title"] == "{7. Turn integers into bytes}"
    assert read.fields["year"] == "2027"
    assert "1.2.3" in read.fields["note"]
    assert read.fields["url"] == "https://org.github.io/REPO/v1/book/07_entropy_coding.html"


def test_a_chapter_says_when_its_code_was_run(tmp_path):
    run = {"date": "2027-03-08", "seconds": 41.6, "versions": "Python 3.12, torch 2.11"}
    runs = {"book/07_entropy_coding": run}
    (tmp_path / "runs.json").write_text(json.dumps(runs), "utf-8")
    body = ended(srcdir=tmp_path)
    assert "run on 2027-03-08, in 42 seconds, with Python 3.12, torch 2.11." in body
    assert "page-run" not in ended()  # a page without code


def test_what_is_noted_of_a_run():
    noted = edition.run()
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", noted["date"])
    for name in ("Python", "torch", "numpy", "mfca_tutorial", "checkpoint"):
        assert name in noted["versions"]


def test_each_page_leads_to_the_other_editions():
    assert 'href="https://org.github.io/REPO/editions.html"' in ended()


@pytest.mark.parametrize("options", [{"builder": "singlehtml"}, {"doctree": None}])
def test_no_foot_on_paper_and_on_pages_without_text(options):
    assert ended(**options) == "<p>The page.</p>"


def test_a_release_has_an_address_of_its_own(monkeypatch):
    monkeypatch.setattr(edition, "package_version", lambda: "1.2.0")
    monkeypatch.delenv("BOOK_RELEASE", raising=False)
    assert edition.folder() == "latest"
    assert edition.branch() == "student"
    monkeypatch.setenv("BOOK_RELEASE", "v1.2.0")
    assert edition.folder() == "v1"
    assert edition.branch() == "student-v1"
    assert edition.pages().endswith("/v1")


@pytest.mark.parametrize("tag", ["v1.2.1", "1.2.0", "v1", "main"])
def test_a_release_has_the_version_of_the_package(monkeypatch, tag):
    monkeypatch.setattr(edition, "package_version", lambda: "1.2.0")
    with pytest.raises(ValueError, match="but the package's version"):
        edition.folder(tag)


ABOUT = (ROOT / "book" / "about.md").read_text("utf-8")


@pytest.mark.parametrize("name", data.PHOTOGRAPHS)
def test_the_licence_of_each_photograph_is_stated(name):
    (row,) = re.findall(rf"^\| `{name}` \|.*\|$", ABOUT, re.M)
    assert all(field.strip() for field in row.strip("|").split("|"))


@pytest.mark.parametrize(
    "file", sorted((ROOT / "_assets" / "fonts").glob("*.woff2")), ids=lambda f: f.stem
)
def test_the_licence_of_each_font_is_stated_and_lies_beside_it(file):
    names = {"inter": "Inter", "source": "Source Serif 4", "fa": "Font Awesome"}
    name = names[file.stem.split("-")[0]]
    assert re.search(rf"^\| {name}.*SIL Open Font License", ABOUT, re.M)
    licence = name.lower().replace(" ", "-")
    assert (file.parent / f"LICENSE-{licence}.txt").exists()


def test_accessibility_and_privacy_are_stated():
    assert "## Accessibility" in ABOUT
    assert re.search(r"## Privacy\n\n.*send nothing anywhere", ABOUT)
