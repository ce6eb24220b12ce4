"""Print the whole book: `python tools/pdf.py [--edition student|instructor]`.

One page holds all chapters: Sphinx's single-page build, from the notebooks that `make book` has
executed. Chromium prints it to `_build/mfca-tutorial.pdf`. Explorables appear as their first
picture, hints and solutions are opened, and every chapter starts on a new page.
"""

import argparse

from build_book import ROOT, TARGET, execute_all, sphinx, stage
from chromium import TYPESET, started

OPEN = """() => {
    document.documentElement.dataset.theme = "light";
    document.querySelectorAll("details:not(.hide)").forEach((e) => { e.open = true; });
    document.querySelectorAll(".toggle-hidden").forEach((e) => e.classList.remove("toggle-hidden"));
    // A chapter begins at each of these elements.
    document.querySelectorAll("[id^='document-']").forEach((e) => {
        e.style.display = "block";
        e.style.breakBefore = "page";
    });
    document.querySelectorAll("img").forEach((e) => { e.loading = "eager"; });
}"""
FOOTER = """<div style="font-size: 8px; width: 100%; text-align: center; color: #5b6875">
<span class="pageNumber"></span></div>"""


def single_page(edition):
    """Build the whole book as one page; return its file."""
    execute_all()
    return sphinx(stage(edition), "singlehtml") / "index.html"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--edition", choices=list(TARGET), default="student")
    options = parser.parse_args()
    page_file = single_page(options.edition)
    suffix = "" if options.edition == "student" else "-instructor"
    target = ROOT / "_build" / f"mfca-tutorial{suffix}.pdf"
    with started() as browser:
        page = browser.new_page(color_scheme="light")
        page.goto(page_file.as_uri(), wait_until="load", timeout=120_000)
        page.wait_for_function(TYPESET, timeout=120_000)
        page.evaluate(OPEN)
        margin = {"top": "18mm", "bottom": "18mm", "left": "16mm", "right": "16mm"}
        page.pdf(
            path=str(target),
            format="A4",
            margin=margin,
            scale=0.85,
            print_background=True,
            outline=True,
            tagged=True,
            display_header_footer=True,
            header_template="<span></span>",
            footer_template=FOOTER,
        )
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size / 2**20:.1f} MiB")


if __name__ == "__main__":
    main()
