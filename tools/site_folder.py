"""Put together all that is published: `make site`, into `_build/site`.

    /latest/            the pages of this build; a release stands at /v1/ instead
    /v1/, /v2/, ...     the pages of earlier releases, from `--editions`
    /wheels/            every version of the package that a notebook may ask for
    /editions.html      the list of editions
    /index.html, ...    each page leads to the same page of the newest edition

`--editions FOLDER` names the files that each release holds: `site-v1.tar.gz` and its wheel, as
`make release-files` makes them. Copy `_build/site` to any web server whose address the repository
states (`make set-repo`).
"""

import argparse
import re
import shutil
import subprocess
import sys
import tarfile
from html import escape
from pathlib import Path

import edition as this_edition
from set_repo import address, forms
from shared import ROOT

SITE = ROOT / "_build" / "html"
OUT = ROOT / "_build" / "site"
ARCHIVE = re.compile(r"site-(v\d+)\.tar\.gz")

# No script: a browser goes on at once, and a reader without that finds a link.
REDIRECT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>{title}</title>
<meta http-equiv="refresh" content="0; url={target}">
<link rel="canonical" href="{canonical}">
</head>
<body><p>This page is now <a href="{target}">here</a>.</p></body>
</html>
"""
EDITIONS = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Editions</title>
<style>
  :root {{ color-scheme: light dark; }}
  body {{ font: 1.1rem/1.6 system-ui, sans-serif; max-width: 34rem; margin: 10vh auto; }}
  main {{ padding: 0 1rem; }}
</style>
</head>
<body>
<main>
<h1>Editions of this book</h1>
<ul>
{items}
</ul>
<p>The address of an edition stays. <a href="{releases}">The releases</a> have each as PDF and EPUB,
with its code.</p>
</main>
</body>
</html>
"""


def build_wheel(folder):
    """Build this version's wheel into a folder."""
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)


def newest(names):
    """The edition that addresses without one lead to: 'latest', else the highest release."""
    if "latest" in names:
        return "latest"
    return max(names, key=lambda name: int(name[1:]))


def unpack(editions, out):
    """Put the pages and wheels of earlier releases in their places."""
    for file in sorted(editions.iterdir()) if editions else []:
        name = ARCHIVE.fullmatch(file.name)
        if name and not (out / name[1]).exists():
            with tarfile.open(file) as archive:
                archive.extractall(out / name[1], filter="data")
        if file.suffix == ".whl" and not (out / "wheels" / file.name).exists():
            shutil.copy(file, out / "wheels")


def lead_to(edition, out, home):
    """Write a page that leads on, for each page of an edition."""
    for page in sorted((out / edition).rglob("*.html")):
        name = page.relative_to(out / edition)
        if name.name == "404.html" or name.parts[0].startswith("_"):
            continue
        up = "../" * (len(name.parts) - 1)
        there = f"{edition}/{name.as_posix()}"
        title = re.search(r"<title>(.*?)</title>", page.read_text("utf-8"), re.S)
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        text = REDIRECT.format(
            title=title[1].strip() if title else "Moved",
            target=escape(up + there),
            canonical=escape(f"{home}/{there}"),
        )
        (out / name).write_text(text, "utf-8")


def list_editions(names, out):
    """Write the page that lists the editions, newest first."""
    ordered = sorted(names, key=lambda name: (name == "latest", name[1:].zfill(4)), reverse=True)
    words = {name: f"version {name[1:]}" for name in names} | {"latest": "the latest pages"}
    items = [f'<li><a href="{name}/index.html">{words[name]}</a></li>' for name in ordered]
    releases = f"{address()}/releases"
    text = EDITIONS.format(items="\n".join(items), releases=escape(releases))
    (out / "editions.html").write_text(text, "utf-8")


def assemble(site, folder, editions, out):
    """Put everything into an empty folder.

    Args:
        site: the built pages.
        folder: where they stand: 'latest', or 'v1' for a release.
        editions: a folder with the files of earlier releases, or None.
        out: the folder to write.
    """
    home = forms(address())[2]
    shutil.copytree(site, out / folder)
    (out / "wheels").mkdir()
    build_wheel(out / "wheels")
    unpack(editions, out)

    names = [d.name for d in out.iterdir() if d.name == "latest" or re.fullmatch(r"v\d+", d.name)]
    lead_to(newest(names), out, home)
    list_editions(names, out)
    for name in ("404.html", "sitemap.xml"):
        shutil.copy(out / newest(names) / name, out / name)
    (out / ".nojekyll").touch()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--editions", type=Path, help="a folder with the files of the releases")
    options = parser.parse_args()
    if not (SITE / "index.html").exists():
        parser.error("no pages in _build/html; run `make book` first")

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    assemble(SITE, this_edition.folder(), options.editions, OUT)
    size = sum(file.stat().st_size for file in OUT.rglob("*") if file.is_file())
    print(f"{OUT.relative_to(ROOT)}: {size / 1e6:.0f} MB")


if __name__ == "__main__":
    main()
