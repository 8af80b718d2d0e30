"""`make screenshots`: the README's pictures, taken from the running demo."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path.insert(0, str(DOCS.parent / "tests"))
from browser_server import chromium, dashboard, settled

PICTURES = {"customers": "", "deleted_customers": "deleted_customers", "revenue": "revenue", "integrity": "integrity"}


def main() -> None:
    """A picture of each page, at the size of a small laptop, in light."""
    with (
        tempfile.TemporaryDirectory() as folder,
        dashboard(None, Path(folder) / "log") as server,
        chromium() as browser,
    ):
        page = browser.new_page(
            viewport={"width": 1366, "height": 768}, color_scheme="light", timezone_id="Europe/Lisbon"
        )
        for name, path in PICTURES.items():
            page.goto(f"{server.url}/{path}")
            settled(page)
            page.wait_for_timeout(2500)  # the chart's script and the table's fonts come late
            page.screenshot(path=DOCS / f"{name}.png")


if __name__ == "__main__":
    main()
