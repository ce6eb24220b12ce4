"""Rewrite the repository's address everywhere: `python tools/set_repo.py https://github.com/ORG/REPO`.

The address stands in pyproject.toml; the book's configuration, the chapters' set-up cells, the README, the citation and
every other tracked text repeat it. Copies of it that hold only its parts (Colab's links, the address of GitHub Pages)
follow. The Python standard library is enough, so this runs before any set-up.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".cff", ".html", ".ipynb", ".md", ".py", ".sh", ".svg", ".toml", ".txt", ".yml", ".yaml"}


def address(root=ROOT):
    """The present address, from pyproject.toml."""
    return re.search(
        r'^Repository = "([^"]+)"', (root / "pyproject.toml").read_text("utf-8"), re.M
    ).group(1)


def forms(url):
    """`https://github.com/o/r` -> the ways a file can name it: (whole address, Colab's path, GitHub Pages)."""
    match = re.fullmatch(r"https://github\.com/([\w.-]+)/([\w.-]+)", url)
    if not match:  # Colab opens notebooks from GitHub, and the theme's buttons know no other host by its address
        raise ValueError(f"not an address like https://github.com/ORG/REPO: {url!r}")
    owner, name = match.groups()
    return (
        url,
        f"research.google.com/github/{owner}/{name}",
        f"https://{owner.lower()}.github.io/{name}",
    )


def files(root=ROOT):
    """The text files that git tracks, or that it would; generated and result files are none of them."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    names = subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True
    ).stdout.split("\0")
    return [root / name for name in names if Path(name).suffix in TEXT and (root / name).is_file()]


def rewrite(new, root=ROOT):
    """Replace the old address by `new` in every file; returns the files that changed."""
    pairs = list(zip(forms(address(root)), forms(new), strict=True))
    changed = []
    for file in files(root):
        before = file.read_bytes().decode("utf-8")
        after = before
        for (
            old,
            replacement,
        ) in pairs:  # the old address ends where a name can end: mfca is not mfca-tutorial
            after = re.sub(re.escape(old) + r"(?![\w-])", lambda _, r=replacement: r, after)
        if after != before:
            file.write_bytes(after.encode("utf-8"))
            changed.append(file)
    return changed


def main(arguments):
    url = arguments[0].strip().rstrip("/").removesuffix(".git") if len(arguments) == 1 else ""
    try:
        changed = rewrite(url)
    except ValueError as error:
        print(
            f"set-repo: {error}\nuse: make set-repo URL=https://github.com/ORG/REPO",
            file=sys.stderr,
        )
        return 2
    print("\n".join(str(file.relative_to(ROOT)) for file in changed) or "nothing to change")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
