"""Chapter 4: the encoder's and the decoder's network, layer by layer."""

from diagrams.shapes import BLUE, BLUE_WASH, HAT_X, HAT_Y, OURS_WASH, WASH, Drawing, named
from mfca_tutorial.config import LATENT_STRIDE, TINY, CodecConfig
from mfca_tutorial.transforms import Analysis, Synthesis

CONFIG = CodecConfig()
TALL = 128  # pixels for the height of the picture
WIDE_BY = 1 / 8  # pixels for each channel
EDGE = 34  # pixels, half of the longest label

LABEL = (
    "Encoder and decoder. The encoder halves the resolution four times by strided convolutions, "
    "while the channels become more; between them stand one, two and three PMCN blocks. The "
    "decoder doubles the resolution four times by transposed convolutions, with one block at each "
    "size."
)


def convolution(layer):
    """The kernel of a layer, as text."""
    side = layer.kernel_size[0]
    return f"{side} &#215; {side}"


def places(width):
    """The middles of five tensors in a row."""
    return [width * share for share in (0.03, 0.245, 0.47, 0.695, 0.93)]


def stages(d, y, xs, channels, sizes, fills, layers, depths):
    """Tensors with a layer between each two of them."""
    before = None
    for number, (x, count, size, fill) in enumerate(zip(xs, channels, sizes, fills)):
        width = max(6, count * WIDE_BY)
        place = d.tensor(x, y, width, TALL / size, fill)
        where = str(count) if size == 1 else f"{count} at 1/{size}"
        inside = x if size == 1 else min(max(x, EDGE), d.width - EDGE)
        d.text(inside, y + TALL / 2 + 18, where, "s")
        if number in depths:
            d.text(x, y + TALL / 2 + 36, f"{depths[number]} PMCN", "b")
        if before:
            d.arrow(before.right, place.left)
            middle = (before.right[0] + place.left[0]) / 2
            d.text(middle, y - 9, convolution(layers[number - 1]), "s")
            d.text(middle, y + 19, "stride 2", "s")
        before = place


def draw(width):
    """Both networks, one below the other."""
    d = Drawing(LABEL, width, 424)
    sizes = [2**step for step in range(5)]
    assert sizes[-1] == LATENT_STRIDE
    analysis, synthesis = Analysis(TINY), Synthesis(TINY)
    xs = places(width)

    d.text(0, 14, "Encoder " + named("g", "a") + ": convolutions", "n", "start")
    channels = [3, *CONFIG.encoder_widths, CONFIG.latents]
    layers = [analysis.stem, analysis.down1, analysis.down2, analysis.down3]
    fills = [WASH, *[BLUE_WASH] * 3, BLUE]
    stages(d, 100, xs, channels, sizes, fills, layers, dict(enumerate(CONFIG.encoder_depths, 1)))
    d.text(xs[0] + 9, 50, "x", "n", "start")
    d.text(xs[4], 84, "y", "n")

    d.text(0, 238, "Decoder " + named("g", "s") + ": transposed convolutions", "n", "start")
    xs = [width - x for x in reversed(xs)]
    channels = [CONFIG.latents, *CONFIG.decoder_widths, 3]
    layers = [synthesis.up1, synthesis.up2, synthesis.up3, synthesis.to_pixels]
    fills = [BLUE, *[OURS_WASH] * 3, WASH]
    depths = {number: len(getattr(synthesis, f"stage{number}")) for number in (1, 2, 3)}
    stages(d, 320, xs, channels, sizes[::-1], fills, layers, depths)
    d.text(xs[0], 304, HAT_Y, "n")
    d.text(xs[4] - 9, 266, HAT_X, "n", "end")
    return d.svg()
