"""Block syntax: directives become mathematics, quotations, headings and `<details>`.

Gated solutions (`solution-start` ... `solution-end`) reach over several cells and are dealt with in
`notebook`.
"""

import re

from plain import works
from plain.inline import TOKEN, Unknown
from plain.labels import DIAGRAM, FENCE, TARGET

OPTION = re.compile(r"^:([\w-]+):[ \t]*(.*)$")
ENVIRONMENT = re.compile(r"\\begin\{(\w+\*?)\}.*?\\end\{\1\}", re.S)
CODE = re.compile(r"^(?P<marks>`{3,}|~{3,})[^{`]*$")
CALLOUT = re.compile(r"\*\*(?:Key idea\.?|In practice\.?)\*\*", re.I)
QUOTED = {"note", "tip", "hint", "important", "warning", "caution", "attention", "seealso"}
SOLUTION = "Solution to"


def options_of(body):
    """The options of a directive and the rest of its body: ({name: value}, text)"""
    options = {}
    lines = body.split("\n")
    while lines and (option := OPTION.match(lines[0])):
        options[option[1]] = option[2].strip()
        lines.pop(0)
    return options, "\n".join(lines).strip("\n")


def details(summary, body):
    """A part that opens on a click; the blank lines make its body Markdown."""
    return f"<details><summary>{summary}</summary>\n\n{body}\n\n</details>"


def quotation(title, body):
    """A quotation that begins with a bold title."""
    text = f"**{title}**\n\n{body}" if title else body
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def equation(tex, number):
    r"""A formula in `$$`, with its number.

    Sphinx puts rows (`\\`) into an environment where the source has none; a reader of notebooks
    does not.
    """
    tex = tex.strip()
    if r"\\" in ENVIRONMENT.sub("", tex):
        tex = f"\\begin{{aligned}}\n{tex}\n\\end{{aligned}}"
    tag = f" \\tag{{{number}}}" if number else ""
    return f"$$\n{tex}{tag}\n$$"


class Blocks:
    """Rewrites the Markdown of one chapter; `inline` rewrites what stands between directives."""

    def __init__(self, inline):
        self.inline = inline

    def __call__(self, text):
        done = []
        lines = text.split("\n")
        open_text = []

        def flush():
            if open_text:
                done.append(self.prose("\n".join(open_text)))
                open_text.clear()

        while lines:
            line = lines.pop(0)
            directive, code = FENCE.match(line), CODE.match(line)
            if directive is None and code is None:
                open_text.append(line)
                continue
            flush()
            body = self.body(lines, (directive or code)["marks"], line)
            if code:
                done.append("\n".join([line, *body, code["marks"]]))
            else:
                done.append(self.directive(directive["name"], directive["title"].strip(), body))
        flush()
        shown = "\n".join(part for part in done if part is not None)
        return re.sub(r"\n{3,}", "\n\n", shown).strip("\n")

    def body(self, lines, marks, opening):
        """Take the lines up to the fence that closes a block."""
        body = []
        while lines:
            line = lines.pop(0)
            if line.rstrip() == marks:
                return body
            body.append(line)
        raise Unknown(f"{self.inline.file}: no end of {opening}")

    def directive(self, name, title, lines):
        options, body = options_of("\n".join(lines))
        inline = self.inline
        if name == "math":
            label = options.get("label")
            return equation(body, label and inline.label(label).number)
        if name in {"exercise-start", "exercise"}:
            label = inline.label(options["label"])
            heading = f"### {label.text}. {inline(title)}"
            return f"{heading}\n\n{self(body)}" if body else heading
        if name == "exercise-end":
            return None
        if name == "solution":
            label = inline.label(title)
            return details(f"{SOLUTION} {label.text}", self(body))
        if name in QUOTED | {"admonition"}:
            words = inline(title) if name == "admonition" else name.capitalize()
            if "dropdown" in options.get("class", ""):
                return details(words, self(body))
            return quotation(words, self(body))
        if name == "dropdown":
            return details(inline(title), self(body))
        if name == "bibliography":
            return works.references(inline.keys)
        raise Unknown(f"{inline.file}: the directive {name!r} has no plain form yet")

    def prose(self, text):
        """Text between directives: without targets, callouts as quotations."""
        text = TARGET.sub(lambda target: target[0].split("\n", 1)[1].lstrip("\n"), text)
        text = self.captions(text)
        paragraphs = re.split(r"(\n{2,})", self.inline(text))
        for place, paragraph in enumerate(paragraphs):
            if CALLOUT.match(paragraph):
                paragraphs[place] = quotation("", paragraph)
        return "".join(paragraphs)

    def captions(self, text):
        """Words behind a diagram in its paragraph: its caption, with the figure's number."""

        def captioned(match):
            if not match["caption"].strip():
                return match[0]
            picture = TOKEN.match(match[0])[0]
            number = self.inline.label(f"diagram-{match['stem']}").text
            return f"{picture}\n\n**{number}.** {match['caption'].strip()}"

        return DIAGRAM.sub(captioned, text)
