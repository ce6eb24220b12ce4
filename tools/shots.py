"""Take screenshots of every page for inspection: `_build/shots/PAGE-{light,dark,phone}.png`."""

from build_book import ROOT, TARGET
from chromium import TYPESET, started

FACES = {
    "light": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "light"},
    "dark": {"viewport": {"width": 1280, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}, "color_scheme": "light"},
}


def main():
    site = TARGET["student"]
    target = ROOT / "_build" / "shots"
    target.mkdir(parents=True, exist_ok=True)
    with started() as browser:
        for face, options in FACES.items():
            context = browser.new_context(**options)
            for file in [site / "index.html", *sorted((site / "book").glob("*.html"))]:
                page = context.new_page()
                page.goto(file.as_uri(), wait_until="load")
                page.wait_for_function(TYPESET)
                page.screenshot(path=target / f"{file.stem}-{face}.png", full_page=True)
                page.close()
    print(f"{target.relative_to(ROOT)}: {len(list(target.glob('*.png')))} pictures")


if __name__ == "__main__":
    main()
