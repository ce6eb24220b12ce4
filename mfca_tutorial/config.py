"""The sizes of a codec, and the few constants that a file's meaning depends on. It does not import torch.

Taught in chapter 4 (the sizes) and chapter 6 (quality).
"""

import json
from dataclasses import asdict, dataclass

MAX_QUALITY = 100
STRIDE = 64  # image sides are padded to a multiple of this: 16 for y, four more for z and the importance map
MAP_LEVELS = 16  # importance levels; level L shifts the quality by 4 L - 32, so 8 is 'as is'
MAP_STEP, MAP_FLAT = 4, 8


def lambda_of(quality):
    """The price of distortion at a quality: 0.0006 * 200^(quality / 100), in bits per pixel per unit of squared error.

    quality: number or tensor in 0..100. Example: lambda_of(0) == 0.0006, lambda_of(100) == 0.12.
    Taught in chapter 6.
    """
    return 0.0006 * 200.0 ** (quality / MAX_QUALITY)


@dataclass(frozen=True)
class CodecConfig:
    """Everything that fixes the shapes of a codec's weights. It travels in the checkpoint's metadata.

    Taught in chapter 4.
    """

    name: str = "base"
    encoder_widths: tuple[int, ...] = (96, 128, 192)  # channels at 1/2, 1/4, 1/8 of the image
    encoder_depths: tuple[int, ...] = (1, 2, 3)  # PMCN blocks at each
    decoder_widths: tuple[int, ...] = (192, 128, 64)  # channels at 1/8, 1/4, 1/2; one PMCN block at each
    latents: int = 256  # M, channels of y
    hyper: int = 128  # channels of z
    hyper_width: int = 192  # channels inside h_a and h_s
    context_width: int = 320  # channels inside the context network
    passes: int = 4  # context passes: 1, 2 (checkerboard) or 4 (channel groups x 2x2 positions)
    pqf_width: int = 128  # channels inside the post-quantisation filter
    anchors: int = 8  # K gain vectors, spread evenly over quality 0..100
    attention: bool = True  # MFCA inside each PMCN block
    frequencies: str = "top16"  # frequency selection of MFCA
    descriptor: str = "energy"  # what MFCA's gates look at

    def to_json(self) -> str:
        """The configuration as one line of JSON. Taught in chapter 9."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "CodecConfig":
        """Inverse of `to_json`; raises TypeError on a field it does not know. Taught in chapter 9."""
        fields = json.loads(text)
        return cls(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})


TINY = CodecConfig("tiny", (24, 32, 48), (1, 1, 1), (48, 32, 24), latents=64, hyper=32, hyper_width=48,
                   context_width=64, pqf_width=32)
PRESETS = {"base": CodecConfig(), "tiny": TINY}
