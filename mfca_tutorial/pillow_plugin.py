"""`import mfca_tutorial.pillow_plugin`, then `Image.open("a.mfca")` and `im.save("a.mfca", quality=60)` work.

Opening reads the header alone; the pixels are decoded on first use, by the packaged checkpoint. Taught in chapter 9.
"""

import functools
import io

from PIL import Image, ImageFile

from mfca_tutorial import container, data


@functools.cache
def _codec():
    from mfca_tutorial import Codec
    return Codec.from_pretrained()


def _accept(prefix):
    return prefix.startswith(container.MAGIC)


class MfcaImageFile(ImageFile.ImageFile):
    """A .mfca file as a Pillow image of mode RGB or L. Raises BitstreamError on a damaged file. Taught in chapter 9."""

    format = "MFCA"
    format_description = "Multi-frequency channel attention codec"

    def _open(self):
        self._stream = self.fp.read()
        header = container.read_header(self._stream)
        self._size, self._mode = (header.width, header.height), "L" if header.grey else "RGB"
        self.info["quality"] = header.quality

    def load(self):
        if self._stream is not None:
            image = data.to_image(_codec().decompress(self._stream))  # (H, W, 3)
            pixels = image[..., 0] if self.mode == "L" else image
            self.fp, self._stream = io.BytesIO(pixels.tobytes()), None
            self.tile = [ImageFile._Tile("raw", (0, 0, *self.size), 0, self.mode)]
        return super().load()


def _save(image, file, filename):
    options = image.encoderinfo
    pixels = data.as_rgb(image)[0]  # (H, W, 3)
    file.write(_codec().compress(pixels, float(options.get("quality", 50)), options.get("importance")))


Image.register_open(MfcaImageFile.format, MfcaImageFile, _accept)
Image.register_save(MfcaImageFile.format, _save)
Image.register_extension(MfcaImageFile.format, ".mfca")
Image.register_mime(MfcaImageFile.format, "image/x-mfca")
