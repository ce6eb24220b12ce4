"""Collect the files of a release in `_build/release`: `make release-files RELEASE=v1.0.0`.

They are the archive of its pages, from which every later publication restores /v1/, the wheel that
its notebooks install, and the book as PDF and EPUB.
"""

import shutil
import tarfile

import edition as this_edition
from shared import ROOT
from site_folder import SITE, build_wheel

BUILD = ROOT / "_build"
OUT = BUILD / "release"


def main():
    folder = this_edition.folder()
    if folder == "latest":
        raise SystemExit("name the release: make release-files RELEASE=v1.0.0")

    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    with tarfile.open(OUT / f"site-{folder}.tar.gz", "w:gz") as archive:
        archive.add(SITE, ".")
    build_wheel(OUT)
    for ending in ("pdf", "epub"):
        shutil.copy(BUILD / f"mfca-tutorial.{ending}", OUT)
    for file in sorted(OUT.iterdir()):
        print(f"{file.relative_to(ROOT)}: {file.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
