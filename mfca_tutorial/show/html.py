"""How an explorable reaches a page: pictures as WebP or PNG, controls and data as one block of HTML.

Does not move anything: the script that does is `_assets/explorable.js`, the style `_assets/book.css`.
"""

import base64
import io
import json
import re
from html import escape

import numpy as np

from mfca_tutorial.show.figures import as_rgb


def to_picture(drawn):
    """An image array or a matplotlib figure -> uint8 (H, W, 3). Figures are drawn at their own dpi and closed.

    Taught in chapter 0."""
    if hasattr(drawn, "savefig"):
        import matplotlib.pyplot as plt
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        canvas = FigureCanvasAgg(drawn)
        canvas.draw()
        plt.close(drawn)
        return np.asarray(canvas.buffer_rgba())[..., :3].copy()  # (H, W, 3)
    return as_rgb(drawn)


def data_uri(picture, lossless):
    """uint8 (H, W, 3) -> WebP as a data URI: exact when `lossless`, else quality 86. Taught in chapter 0."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "WEBP", lossless=lossless, quality=86, method=4, exact=True)
    return "data:image/webp;base64," + base64.b64encode(file.getvalue()).decode()


def slug(title):
    """A fixed HTML id from a title. Taught in chapter 0."""
    return "explorable-" + re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def frame(kind, title, task, controls, picture, data):
    """The published block: title, task, controls (HTML), picture (HTML), data for the script. Taught in chapter 0."""
    name = slug(title)
    payload = json.dumps(data, ensure_ascii=False).replace("</", "<\\/")
    return f"""<div class="explorable" id="{name}" data-kind="{kind}" role="group" aria-labelledby="{name}-title">
<p class="explorable-title" id="{name}-title">{escape(title)}</p>
<p class="explorable-task">{escape(task)}</p>
<div class="explorable-controls">{controls}</div>
{picture}
<p class="explorable-note" aria-live="polite">{escape(data["notes"][data["first"]])}</p>
<script type="application/json" class="explorable-data">{payload}</script>
</div>"""


def control_html(name, key, control):
    """One labelled range input or drop-down list; values are indices. Taught in chapter 0."""
    first, texts = control.first(), [escape(str(v)) for v in control.values]
    label = f'<label for="{name}-{key}">{escape(control.label)}</label>'
    field = f'id="{name}-{key}" class="explorable-input" data-key="{key}"'
    if control.kind == "choice":
        options = "".join(
            f'<option value="{i}"{" selected" * (i == first)}>{text}</option>'
            for i, text in enumerate(texts)
        )
        return f"{label}<select {field}>{options}</select><span></span>"
    slider = f'<input type="range" {field} min="0" max="{len(texts) - 1}" step="1" value="{first}"'
    return f'{label}{slider} aria-valuetext="{texts[first]}"><output for="{name}-{key}">{texts[first]}</output>'


def png(picture):
    """uint8 (H, W, 3) -> bytes of a PNG file. Taught in chapter 0."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(picture).save(file, "PNG")
    return file.getvalue()
