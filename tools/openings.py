"""How chapters open: 'You will ... You will learn ... You need ... Time: ...', a line for each."""

import re

OPENING = re.compile(r"<p>(<strong>You will</strong>.*?)</p>", re.S)
PART = re.compile(r"<strong>([^<]+?):?</strong>\s*(.*?)(?=<strong>|$)", re.S)


def with_opening(text):
    """A page whose first paragraph, if it is such an opening, is a list of its parts."""

    def listed(match):
        parts = PART.findall(match[1])
        lines = [
            f"<p><strong>{name}</strong> <span>{words.strip()}</span></p>" for name, words in parts
        ]
        return f'<div class="chapter-opening">{"".join(lines)}</div>'

    return OPENING.sub(listed, text, count=1)
