"""Cut the theme's icon fonts to the icons that pages show: `python tools/icons.py`.

Font Awesome's two fonts are 274 KB; the icons in ICONS are 4. The result is kept in _assets/fonts,
and `tools/mend_pages.py` puts it in the place of the theme's fonts, so this has to be run only when
the theme or ICONS change. It needs `pip install fonttools brotli`.
"""

import re
from pathlib import Path

FONTS = Path(__file__).resolve().parent.parent / "_assets" / "fonts"

# The icons of the theme's buttons, by Font Awesome's names.
ICONS = {
    "fa-solid-900": (
        "angle-left angle-right angle-down arrow-up bars circle-half-stroke download expand file "
        "file-pdf lightbulb list magnifying-glass moon rocket sun xmark"
    ).split(),
    "fa-brands-400": ["github"],
}


def code_of(name, css):
    """The character of an icon, from the theme's style sheet."""
    found = re.search(rf'\.fa-{name}:before[^{{]*\{{content:"\\([0-9a-f]+)"', css)
    return int(found.group(1), 16)


def main():
    import pydata_sphinx_theme
    from fontTools import subset

    static = Path(pydata_sphinx_theme.__file__).parent / "theme/pydata_sphinx_theme/static"
    css = (static / "styles" / "pydata-sphinx-theme.css").read_text("utf-8")

    for font, names in ICONS.items():
        file = FONTS / f"{font}.woff2"
        options = subset.Options(flavor="woff2", layout_features=[], name_IDs=["*"])
        whole = static / "vendor" / "fontawesome" / "webfonts" / f"{font}.woff2"
        loaded = subset.load_font(str(whole), options)
        subsetter = subset.Subsetter(options)
        subsetter.populate(unicodes=[code_of(name, css) for name in names])
        subsetter.subset(loaded)
        subset.save_font(loaded, str(file), options)
        print(f"{file.name}: {len(names)} icons, {file.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
