"""Small typography of the built pages: what belongs on one line, and the sign between two sizes."""

import re

# a formula in a sentence, with the signs that stand at it without a blank: "(x)," or "x."
FORMULA = re.compile(
    r"([(\[]?)"
    r'(<span class="math[^">]*"[^>]*>[^<]*</span>)'
    r"([.,;:!?)\]\u2019\u201d]*)"
)
TITLE = re.compile(r"(<h1[^>]*>)(.*?)(</h1>)", re.S)
HYPHENED = re.compile(r"\w+(?:-\w+)+(?![^<]*>)")  # in text, not in a tag

# what is no text: elements whose letters count, and tags
VERBATIM = re.compile(r"(<(pre|code|script|style|svg)\b.*?</\2>|<[^>]+>)", re.S)
SIZES = re.compile(r"(?<=\d) [x\u00d7] (?=\d)")
TOGETHER = re.compile(r"(?<=\d) (?=(?:%|dB\b|bpp\b))|(?<=\b[Cc]hapter) (?=\d)|(?<=\bFigure) (?=\d)")


# a measure whose hyphen is no place for a break, and where it stays as it is
MEASURE = re.compile(
    r"(<(pre|code|script|style|svg|title|option)\b.*?</\2>|\\\(.*?\\\)|\\\[.*?\\\]|<[^>]+>)|"
    r"\b(?:BD-rates?|MS-SSIM)\b",
    re.S,
)


def held_together(text):
    """Formulas with the signs at them, and words with a hyphen in titles, on one line.

    Browsers may break a line between a formula and the full stop behind it.
    """

    def with_signs(match):
        before, formula, after = match.groups()
        if not before and not after:
            return formula
        return f'<span class="held">{before}{formula}{after}</span>'

    def title(match):
        start, words, end = match.groups()
        return start + HYPHENED.sub(r'<span class="held">\g<0></span>', words) + end

    text = FORMULA.sub(with_signs, text)
    return TITLE.sub(title, text)


def with_times(text):
    """'8 x 8' with the sign for 'times'; it, '5 %' and 'chapter 2' stay on one line.

    Code stays as it is.
    """
    pieces = VERBATIM.split(text)

    # text, what is no text, the name of its element, text, ...
    texts = [SIZES.sub("\u00a0\u00d7\u00a0", piece) for piece in pieces[::3]]
    pieces[::3] = [TOGETHER.sub("\u00a0", piece) for piece in texts]
    pieces[2::3] = [""] * len(pieces[2::3])
    return "".join(pieces)


def with_whole_measures(text):
    """'BD-rate' and 'MS-SSIM' stay on one line where there is room, at a desk."""

    def held(match):
        return match[1] or f'<span class="held-wide">{match[0]}</span>'

    return MEASURE.sub(held, text)
