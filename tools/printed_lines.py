"""What cells print, prepared for a phone: sentences go on in the next line instead of off the page.

Columns that are aligned by blanks, and arrays, stay as they are; they can be moved sideways.
"""

import re

PRINTED = re.compile(
    r'(<div class="output (?:stream|text_plain)) ([^>]*><div class="highlight"><pre>'
    r"(?:<span></span>)?)(.*?)(</pre>)",
    re.S,
)
ALIGNED = re.compile(r"\S {2,}\S|^ *\[|\[\[|\w\(\[", re.M)


def in_lines(text):
    """A page whose printed sentences are lines of their own, which the style sheet may wrap."""

    def wrapped(match):
        kind, before, body, after = match.groups()
        if "<" in body or ALIGNED.search(body):
            return match.group()
        lines = "".join(
            f'<span class="line">{line}</span>' for line in body.splitlines(keepends=True)
        )
        return f"{kind} sentences {before}{lines}{after}"

    return PRINTED.sub(wrapped, text)
