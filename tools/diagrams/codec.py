"""The overview of the codec as SVG: `python tools/diagrams/codec.py [CHAPTER] > codec.svg`.

The height of a block is its resolution, its width the number of channels. What is right of the file
sees nothing but the file. `data-part` names the chapter that a piece belongs to; a CHAPTER lights
its pieces and dims the others.

Colours are the page's own variables (_assets/tokens.css), so one drawing serves light and dark.
They carry fallbacks for places that have no such variables.
"""

import sys

# Colours, with the light ones as fallbacks.
BLUE = "var(--blue, #378cd4)"
VIOLET = "var(--violet, #463072)"
AMBER = "var(--amber, #8e6f00)"
RIVAL = "var(--rival, #8c929a)"
WASH = "var(--wash, #f3f5f7)"
ENCODER = "var(--blue-wash, #eaf3fb)"
DECODER = "var(--ours-wash, #fdeef4)"

# Heights in the drawing: of the flow, of the importance map above it, of the hyperprior below.
FLOW = 178
MAP = 40
HYPER = 322

STYLE = """
text { fill: currentColor; font-family: var(--sans, system-ui, sans-serif) }
.n { font-size: 13px; font-weight: 600 }
.s { font-size: 11.5px; opacity: .85 }
.line { fill: none; stroke: currentColor; stroke-width: 1.4; opacity: .8 }
.box { fill: var(--card, transparent); stroke: currentColor; stroke-width: 1.3 }
.exact { fill: none; stroke: var(--violet, #463072); stroke-dasharray: 2 3 }
.dim { opacity: .3 }
.lit .box { stroke: var(--ours, #e02e74); stroke-width: 2.5 }
"""
LABEL = (
    "The whole codec. Left, the encoder: blocks that become smaller and wider, then gain, rounding "
    "and the range coder, with the importance map above and hyperprior and context below. Middle: "
    "the file with header, map, z and y. Right, from the file alone: hyperprior and context, range "
    "decoder, gain, PQF and the decoder, whose blocks become larger again."
)


def text(x, y, words, kind="n", anchor="middle"):
    """Words at a place; kind 'n' is normal, 's' small."""
    return f'<text x="{x}" y="{y}" text-anchor="{anchor}" class="{kind}">{words}</text>'


def named(letter, index):
    """A letter with an index below the line."""
    return f'{letter}<tspan dy="3" class="s">{index}</tspan>'


def block(x, middle, width, height, fill, above="", below=""):
    """A tensor: a filled rectangle around a middle line, with words above and below."""
    top = middle - height / 2
    drawn = (
        f'<rect x="{x:.1f}" y="{top}" width="{width:.1f}" height="{height}" rx="2" '
        f'fill="{fill}" stroke="currentColor" stroke-opacity=".35"/>'
    )
    if above:
        drawn += text(f"{x + width / 2:.1f}", top - 8, above)
    if below:
        drawn += text(f"{x + width / 2:.1f}", top + height + 15, below, "s")
    return drawn


def box(x, middle, width, height, *lines):
    """A step: a rounded frame around lines of words."""
    top = middle - height / 2
    drawn = f'<rect x="{x:.1f}" y="{top}" width="{width}" height="{height}" rx="6" class="box"/>'
    for number, line in enumerate(lines):
        y = middle + 4.5 + 15 * (number - (len(lines) - 1) / 2)
        drawn += text(f"{x + width / 2:.1f}", y, line)
    return drawn


def circle(x, middle, sign):
    """A multiplication or a division."""
    drawn = f'<circle cx="{x:.1f}" cy="{middle}" r="14" class="box"/>'
    return drawn + text(f"{x:.1f}", middle + 5, sign)


def arrow(*points, dashed=False):
    """An arrow along points."""
    way = "L".join(f"{x:.1f} {y}" for x, y in points)
    dashes = ' stroke-dasharray="4 4"' if dashed else ""
    return f'<path d="M{way}" class="line"{dashes} marker-end="url(#codec-tip)"/>'


def flat_arrow(start, end, y=FLOW):
    return arrow((start, y), (end, y))


class Drawing:
    """Groups of shapes, each with the chapter that it belongs to."""

    def __init__(self, lit=""):
        self.lit = lit
        self.groups = []

    def put(self, chapter, *shapes):
        state = ""
        if self.lit:
            state = ' class="lit"' if chapter == self.lit else ' class="dim"'
        body = "".join(shapes)
        self.groups.append(f'<g data-part="{chapter}"{state}>{body}</g>')

    def stages(self, x, channels_and_heights, fill):
        """Blocks side by side; returns where the next one would begin."""
        for channels, height in channels_and_heights:
            width = channels / 6
            self.put("3", block(x, FLOW, width, height, fill, "", str(channels)))
            x += width + 8
        return x


def encoder(drawing):
    """From the picture to the range coder; returns the places that other pieces refer to."""
    picture = block(34, FLOW, 14, 176, WASH, "x", "H &#215; W, 3")
    drawing.put("0", picture, flat_arrow(50, 68))

    end = drawing.stages(72, [(96, 132), (128, 96), (192, 66)], ENCODER)
    latents = end + 12
    drawing.put(
        "4",
        text(72, FLOW - 76, "encoder " + named("g", "a"), anchor="start"),
        flat_arrow(end - 4, latents - 4),
        block(latents, FLOW, 44, 40, BLUE, "y", "256 at 1/16"),
    )

    gain = latents + 90
    drawing.put(
        "6",
        flat_arrow(latents + 46, gain - 18),
        circle(gain, FLOW, "&#215;"),
        text(f"{gain + 20:.1f}", FLOW - 20, "gain", "s", "start"),
        flat_arrow(gain + 16, gain + 36),
        box(gain + 40, FLOW, 52, 30, "round"),
    )

    coder = gain + 120
    drawing.put("7", flat_arrow(gain + 94, coder - 4), box(coder, FLOW, 74, 44, "range", "coder"))
    return end - 24, gain, coder


def file(drawing, x):
    """The file and its fields, at x."""
    frame = (
        f'<rect x="{x - 3:.1f}" y="{FLOW - 66}" width="40" height="132" rx="4" '
        'fill="none" stroke="currentColor"/>'
    )
    drawing.put(
        "9",
        flat_arrow(x - 30, x - 6),
        frame,
        text(f"{x + 17:.1f}", FLOW - 76, ".mfca"),
        text(f"{x + 44:.1f}", FLOW + 38, "four passes", "s", "start"),
    )

    fields = (
        ("header", 12, RIVAL, "9"),
        ("map", 12, AMBER, "5"),
        ("z", 18, VIOLET, "8"),
        ("y", 74, BLUE, "8"),
    )
    top = FLOW - 62
    for name, height, fill, chapter in fields:
        y = top + height / 2 + 3
        if len(name) > 1:
            words = text(f"{x + 44:.1f}", y, name, "s", "start")
        else:
            letter = f'<tspan fill="var(--card, #fff)">{name}</tspan>'
            words = text(f"{x + 17:.1f}", y, letter)
        drawn = f'<rect x="{x + 1:.1f}" y="{top}" width="32" height="{height - 2}" fill="{fill}"/>'
        drawing.put(chapter, drawn, words)
        top += height + 2


def decoder(drawing, start):
    """From the file to the picture; returns the right edge."""
    drawing.put(
        "7", flat_arrow(start - 120, start - 4), box(start, FLOW, 74, 44, "range", "decoder")
    )

    gain = start + 112
    drawing.put(
        "6",
        flat_arrow(start + 76, gain - 18),
        circle(gain, FLOW, "&#247;"),
        text(f"{gain:.1f}", FLOW - 20, "gain", "s"),
    )

    pqf = gain + 36
    drawing.put("10", flat_arrow(gain + 16, pqf - 4), box(pqf, FLOW, 46, 36, "PQF"))

    x = pqf + 68
    title = text(f"{x:.1f}", FLOW - 76, "decoder " + named("g", "s"), anchor="start")
    drawing.put("4", flat_arrow(pqf + 48, x - 4), title)
    x = drawing.stages(x, [(192, 66), (128, 96), (64, 132)], DECODER)
    picture = block(x + 16, FLOW, 14, 176, WASH, "x&#770;", "H &#215; W, 3")
    drawing.put("0", flat_arrow(x - 4, x + 12), picture)
    return x + 62


def importance_map(drawing, features, gain, file_at):
    """Above: the map, which only moves the quality of every block."""
    stem = features + 14
    drawing.put(
        "5",
        arrow((stem, FLOW - 37), (stem, MAP), (gain - 70, MAP)),
        box(gain - 66, MAP, 132, 32, "importance map"),
        arrow((gain, MAP + 18), (gain, FLOW - 18), dashed=True),
        arrow(
            (gain + 68, MAP),
            (file_at - 16, MAP),
            (file_at - 16, FLOW - 41),
            (file_at - 5, FLOW - 41),
            dashed=True,
        ),
        text(f"{gain + 76:.1f}", MAP - 8, "quality of every 64 &#215; 64 block", "s", "start"),
    )


def hyperprior(drawing, gain, coder, file_at, range_decoder):
    """Below: z, and the same two boxes on both sides, run in exact arithmetic."""
    analysis = gain - 20
    side = FLOW + 74
    drawing.put(
        "8",
        arrow(
            (gain + 28, FLOW),
            (gain + 28, FLOW + 62),
            (analysis + 22, FLOW + 62),
            (analysis + 22, HYPER - 20),
        ),
        box(analysis, HYPER, 44, 36, named("h", "a")),
        flat_arrow(analysis + 46, analysis + 62, HYPER),
        block(analysis + 66, HYPER, 24, 18, VIOLET),
        text(f"{analysis + 70:.1f}", HYPER + 34, "z, 128 at 1/64", "s"),
        arrow(
            (analysis + 78, HYPER - 12),
            (analysis + 78, side),
            (file_at - 18, side),
            (file_at - 18, FLOW - 25),
            (file_at - 5, FLOW - 25),
        ),
    )

    # the same networks, once for the encoder and once for the decoder
    for left in (coder - 22, range_decoder - 22):
        middle = left + 59
        drawing.put(
            "8",
            box(left, HYPER, 40, 36, named("h", "s")),
            flat_arrow(left + 42, left + 56, HYPER),
            box(left + 60, HYPER, 68, 36, "context"),
            arrow((middle, HYPER - 20), (middle, FLOW + 26)),
            text(f"{middle + 8:.1f}", HYPER - 44, "mean, scale", "s", "start"),
        )
    drawing.put(
        "8",
        flat_arrow(analysis + 92, coder - 26, HYPER),
        arrow(
            (file_at + 36, FLOW - 25),
            (file_at + 116, FLOW - 25),
            (file_at + 116, HYPER),
            (range_decoder - 26, HYPER),
        ),
    )

    frames = [
        f'<rect x="{x:.1f}" y="{HYPER - 30}" width="174" height="60" rx="8" class="exact"/>'
        for x in (coder - 34, range_decoder - 34)
    ]
    words = "the same in fixed point on both sides: bit for bit"
    drawing.put("9", *frames, text(f"{range_decoder + 53:.1f}", HYPER + 46, words, "s"))


def draw(lit=""):
    """The drawing as SVG text; `lit` is the number of a chapter, as text, or ''."""
    drawing = Drawing(lit)
    features, gain, coder = encoder(drawing)
    file_at = coder + 106
    file(drawing, file_at)
    range_decoder = file_at + 160
    width = decoder(drawing, range_decoder)
    importance_map(drawing, features, gain, file_at)
    hyperprior(drawing, gain, coder, file_at, range_decoder)

    tip = (
        '<defs><marker id="codec-tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8Z" fill="currentColor"/></marker>'
        "</defs>"
    )
    head = (
        f'<svg viewBox="0 0 {width:.0f} {HYPER + 58}" xmlns="http://www.w3.org/2000/svg" '
        f'role="img" aria-label="{LABEL}" color="currentColor">'
    )
    return "\n".join([head, f"<style>{STYLE}</style>", tip, *drawing.groups, "</svg>\n"])


if __name__ == "__main__":
    print(draw(*sys.argv[1:2]), end="")
