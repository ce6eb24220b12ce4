"""Sphinx extension of this book: tells the chapters that they are being published, and adds the book's script and style
to each page.
"""

import os


def setup(app):
    """With MFCA_PUBLISHED in the kernel's environment, explorables write their published face
    (mfca_tutorial/show/explorables.py).
    """
    os.environ["MFCA_PUBLISHED"] = "1"
    os.environ.pop("MPLBACKEND", None)  # figures must reach the notebook's own backend
    app.add_css_file("book.css")
    app.add_js_file("explorable.js")
    return {"parallel_read_safe": True, "parallel_write_safe": True}
