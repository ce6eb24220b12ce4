"""Sphinx extension of this book: the bibliography's labels are author and year.

The text says '[Wallace, 1992]', so the list does, too. The style that comes with pybtex
would say '[Wal92]', and drops letters that are not English: '[BalleLS17]'.
"""

from collections import Counter

from pybtex.plugin import register_plugin
from pybtex.richtext import Text
from pybtex.style.formatting.unsrt import Style as UnsortedStyle
from pybtex.style.labels import BaseLabelStyle
from pybtex.style.sorting.author_year_title import SortingStyle

NAME = "author_year"


def last_name(person):
    """The last name of an author, with TeX's accents as letters."""
    names = [*person.prelast_names, *person.last_names]
    return str(Text.from_latex(" ".join(names)))


def label(entry):
    """'Wallace, 1992', 'Minnen and Singh, 2020' or 'Ballé et al., 2018'."""
    people = entry.persons.get("author") or entry.persons.get("editor") or []
    names = [last_name(person) for person in people]
    if not names:
        who = entry.fields.get("organization") or entry.fields.get("title", entry.key)
    elif len(names) == 1:
        who = names[0]
    elif len(names) == 2:
        who = f"{names[0]} and {names[1]}"
    else:
        who = f"{names[0]} et al."
    year = entry.fields.get("year")
    return f"{who}, {year}" if year else who


class LabelStyle(BaseLabelStyle):
    """Author and year; a letter where two entries would have the same."""

    def format_labels(self, sorted_entries):
        labels = [label(entry) for entry in sorted_entries]
        total = Counter(labels)
        seen = Counter()
        for text in labels:
            seen[text] += 1
            yield text if total[text] == 1 else text + chr(ord("a") + seen[text] - 1)


class Style(UnsortedStyle):
    """The plain style with these labels, sorted by author and year."""

    default_label_style = LabelStyle
    default_sorting_style = SortingStyle


def setup(app):
    """What Sphinx calls first."""
    register_plugin("pybtex.style.formatting", NAME, Style)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
