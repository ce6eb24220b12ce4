"""Tables of the built pages, prepared for a phone's column of about 342 pixels.

`prepared(text)` marks what the style sheet (`_assets/book.css`) needs to know about a table and
cannot find out:

- `tight`: it has many columns;
- `turned`: it has many columns and few rows, so on a phone its rows stand side by side;
- `paired`: it has even more columns, of which some belong together ("bytes, one step" and "bytes,
  JPEG's steps"), so on a phone two such values stand one below the other; a cell that has no
  partner is marked `alone`;
- `breaks`: a cell whose values may stand one below the other, without a break inside a value.

Long words of headers get soft hyphens. The elements keep their roles as attributes, because a
browser forgets that a table is one when it is laid out in another way.
"""

import re

TIGHT = 5  # columns of a table that gets tighter cells
TURNED_COLUMNS = 6  # the least columns and the most rows of a table that is turned
TURNED_ROWS = 4
PAIRED_COLUMNS = 8  # the least columns of a table whose values stand in pairs
SHORT = 8  # characters of a row's name that stays on one line, and of one that does at a desk
SHORT_AT_A_DESK = 26
LONGEST = 12  # characters of a value that stays on one line

# where the long words of headers may break
HYPHENED = (
    "frequen-cies para-meters mea-sured pre-dicted announ-ced cheap-est non-zero chan-nel "
    "photo-graph sec-onds weigh-ted impos-sible differ-ence corre-lation quan-tised"
).split()
SOFT = {word.replace("-", ""): word.replace("-", "\u00ad") for word in HYPHENED}

TABLE = re.compile(r'<table class="(table[^"]*)"([^>]*)>(.*?)</table>', re.S)
ROW = re.compile(r"<tr\b[^>]*>.*?</tr>", re.S)
CELL = re.compile(r"<(t[hd])\b([^>]*)>(.*?)</\1>", re.S)
HEAD = re.compile(r"<thead>.*?</thead>", re.S)
ROLES = {"thead": "rowgroup", "tbody": "rowgroup", "tr": "row", "td": "cell"}


def words_in(cell):
    """The text of a cell, without tags."""
    return " ".join(re.sub(r"<[^>]+>", "", cell).split())


def with_class(attributes, name):
    """The attributes of an element that gets one more class."""
    if 'class="' in attributes:
        return attributes.replace('class="', f'class="{name} ', 1)
    return f'{attributes} class="{name}"'


def broken(cell):
    """A cell of long values, which may break between them: behind a comma, before a word."""

    def marked(match):
        tag, attributes, body = match.groups()
        if "text-right" not in attributes or len(words_in(body)) <= LONGEST or "math" in body:
            return match.group()
        attributes = with_class(attributes, "breaks")
        # a number and its unit stay together
        body = re.sub(r"(?<=\d) (?=[%a-zA-Z])(?!to\b|of\b|and\b)", "\u00a0", body)
        return f"<{tag}{attributes}>{body}</{tag}>"

    return CELL.sub(marked, cell)


def named(row):
    """A row whose first cell breaks at an underscore or a dot, and not at all if it is short."""

    def held(match):
        tag, attributes, body = match.groups()
        length = len(words_in(body))
        if length <= SHORT_AT_A_DESK:
            kind = "held" if length <= SHORT else "held-wide"
            attributes = with_class(attributes, kind)
        body = re.sub(r"(?<=[a-z]{4})\.(?=[a-z]{4})(?![^<]*>)", "<wbr>.", body)
        if "<code" not in body:
            body = re.sub(r"(?<=[a-z]{4})_(?=[a-z]{4})(?![^<]*>)", "_<wbr>", body)
        return f"<{tag}{attributes}>{body}</{tag}>"

    return CELL.sub(held, row, count=1)


def without_partner(names):
    """For each column, whether it has no neighbour whose name begins in the same way."""
    kinds = [name.split(",")[0] if "," in name else None for name in names]
    alone = [True] * len(kinds)
    for column in range(len(kinds) - 1):
        if alone[column] and kinds[column] and kinds[column] == kinds[column + 1]:
            alone[column] = alone[column + 1] = False
    return alone


def paired(row, alone):
    """A row whose cells without a partner are marked."""
    places = iter(alone)

    def marked(match):
        tag, attributes, body = match.groups()
        if next(places):
            attributes = with_class(attributes, "alone")
        return f"<{tag}{attributes}>{body}</{tag}>"

    return CELL.sub(marked, row)


def hyphened(head):
    """A table's head, whose long words have soft hyphens and may break behind a slash."""
    text = re.sub("|".join(SOFT), lambda match: SOFT[match[0]], head)
    return re.sub(r"(?<=\w)/(?=\w)(?![^<]*>)", "/<wbr>", text)


def prepared(text):
    """A page whose tables are prepared for phones."""

    def table(match):
        kind, attributes, body = match.groups()
        rows = ROW.findall(body)
        columns = max(len(CELL.findall(row)) for row in rows)
        filled = len(rows) - 1  # without the head

        # what the style sheet must know
        if columns >= TIGHT:
            kind += " tight"
        if columns >= TURNED_COLUMNS and filled <= TURNED_ROWS:
            kind += " turned"
            attributes += f' style="--fields: {columns}"'
        elif columns >= PAIRED_COLUMNS:
            alone = without_partner([words_in(cell) for _, _, cell in CELL.findall(rows[0])])
            if not all(alone):
                kind += " paired"
                attributes += f' style="--fields: {(columns + sum(alone)) // 2}"'
                body = ROW.sub(lambda row: paired(row[0], alone), body)

        # words that may break, and what else the elements are
        body = "".join(named(row) for row in re.split(r"(?=<tr\b)", body))
        body = broken(HEAD.sub(lambda head: hyphened(head[0]), body))
        for tag, role in ROLES.items():
            body = re.sub(rf"<{tag}\b", rf'<{tag} role="{role}"', body)
        body = re.sub(r"<th\b", '<th role="columnheader"', body)
        return f'<table role="table" class="{kind}"{attributes}>{body}</table>'

    return TABLE.sub(table, text)
