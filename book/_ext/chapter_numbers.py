"""Sphinx extension of this book: figures and the like are numbered by chapter.

Figure 8.2 is the second figure of the chapter whose file begins with 08. Sphinx itself
counts chapters from 1 and would call that chapter 9, because the book has a chapter 0.
"""

import re

CHAPTER = re.compile(r"book/(\d\d)_")
LAST = 900  # after Sphinx has counted, whose own priority is 500


def number_by_chapter(app, env):
    """Replace the numbers that Sphinx has given to all that is numbered in a chapter.

    Sphinx keeps them as `toc_fignumbers[document][kind][id] = (n,)`, n counted over the
    whole book. They become (chapter, n), n counted from 1 in each chapter.
    """
    for document, kinds in env.toc_fignumbers.items():
        name = CHAPTER.match(document)
        if name is None:
            continue

        chapter = int(name.group(1))
        for numbers in kinds.values():
            in_order = sorted(numbers, key=numbers.get)
            for place, identifier in enumerate(in_order, 1):
                numbers[identifier] = (chapter, place)

    # numbers are filled in when pages are written, so no document is read again
    return []


def setup(app):
    """What Sphinx calls first."""
    app.connect("env-get-updated", number_by_chapter, priority=LAST)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
