"""Sphinx extension of this book: a button for Kaggle beside those for Colab and Binder.

The theme knows the others. All of them open the notebooks of the branch for students,
in which nothing is written in MyST (tools/colab.py).
"""

from urllib.parse import urlencode

AFTER_THE_THEME = 502  # the theme's own buttons come at 501
KAGGLE = "https://kaggle.com/kernels/welcome"


def kaggle_address(repository, branch, page):
    """The address at which Kaggle opens the notebook of a page."""
    source = f"{repository.rstrip('/')}/blob/{branch}/{page}.ipynb"
    return f"{KAGGLE}?{urlencode({'src': source})}"


def add_kaggle(app, page, template, context, doctree):
    """Add Kaggle to the theme's list of places that run a page."""
    options = app.config.html_theme_options
    groups = [
        b
        for b in context.get("header_buttons", [])
        if b.get("label") == "launch-buttons"
    ]
    for group in groups:
        group["buttons"].append(
            {
                "type": "link",
                "text": "Kaggle",
                "tooltip": "Launch on Kaggle",
                "icon": "fas fa-rocket",
                "url": kaggle_address(
                    options["repository_url"], options["repository_branch"], page
                ),
            }
        )


def setup(app):
    """What Sphinx calls first."""
    app.connect("html-page-context", add_kaggle, priority=AFTER_THE_THEME)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
