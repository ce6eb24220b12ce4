"""Change the repository's address everywhere: `make set-repo URL=https://github.com/ORG/REPO`.

The present address is read from pyproject.toml. It is replaced in all text files: the book's
configuration, the chapters' set-up cells, the README, the citation and the rest. Addresses made
from its parts (Colab's links, the address of GitHub Pages) are replaced as well. Only the Python
standard library is used, so this works before any set-up.
"""

import argparse
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = [f"*.{ending}" for ending in "cff html ipynb md py sh svg toml txt yml yaml".split()]


def address(root=ROOT):
    """The present address, from pyproject.toml."""
    return re.search(
        r'^Repository = "([^"]+)"', (root / "pyproject.toml").read_text("utf-8"), re.M
    ).group(1)


def forms(url):
    """The forms in which files contain an address: the address itself, Colab's path and Pages."""
    match = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+)", url)
    if not match:  # Colab opens notebooks from GitHub; the theme's buttons support no other host
        raise ValueError(f"not an address like https://github.com/ORG/REPO: {url!r}")
    owner, name = match.groups()
    colab = f"research.google.com/github/{owner}/{name}"
    pages = f"https://{owner.lower()}.github.io/{name}"
    return url, colab, pages


def files(root=ROOT):
    """The text files that git tracks, and the new ones that it does not ignore."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *TEXT]
    listed = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout
    return [root / name for name in listed.split("\0") if (root / name).is_file()]


def rewrite(new, root=ROOT):
    """Replace the old address with `new` in every file; return the files that changed."""
    pairs = list(zip(forms(address(root)), forms(new)))
    changed = []
    for file in files(root):
        before = file.read_bytes()
        after = before
        for old, replacement in pairs:
            # Match only whole names: .../mfca must not match in .../mfca-tutorial.
            wanted = re.escape(old.encode()) + rb"(?![\w-])"
            after = re.sub(wanted, replacement.encode(), after)
        if after != before:
            file.write_bytes(after)
            changed.append(file)
    return changed


def main():
    parser = argparse.ArgumentParser(prog="make set-repo", description=__doc__.splitlines()[0])
    parser.add_argument("url", metavar="URL=https://github.com/ORG/REPO")
    url = parser.parse_args().url.strip().rstrip("/").removesuffix(".git")
    try:
        changed = rewrite(url)
    except ValueError as error:
        parser.error(str(error))
    print("\n".join(str(file.relative_to(ROOT)) for file in changed) or "nothing to change")


if __name__ == "__main__":
    main()
