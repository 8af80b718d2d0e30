"""`python -m bench.tell RESULTS...`: writes kept results (bench/results/*.json) into bench/README.md, between the marks."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from bench.measuring import told

README = Path(__file__).resolve().parent / "README.md"
MARKED = re.compile(r"(<!-- figures -->\n).*?(<!-- end of figures -->)", re.DOTALL)
UNTOLD = "Bounds are for the full size on MariaDB; elsewhere fixed costs, or the engine, weigh differently."
ENGINES = {"mariadb": "MariaDB 10.11", "postgresql": "PostgreSQL 15"}


def section(result: dict[str, Any]) -> str:
    """A run as Markdown: what it ran on, the table, and what each missed figure is made of."""
    figures = result["figures"]
    missed = [figure for figure in figures if not figure["held"]]
    lines = [
        f"### {result['customers']:,} customers, {result['orders']:,} orders on {ENGINES[result['engine']]}",
        "",
        f"{result['at']}, {result['machine']}; the whole took {result['minutes']:.0f} minutes. "
        f"{len(figures) - len(missed)} of {len(figures)} figures hold.",
        "",
        "| Part | Measured | | Beside | | Ratio | Bound |",
        "|---|---|---|---|---|---|---|",
        *(row(figure) for figure in figures),
    ]
    if result["failed"]:
        lines += ["", f"Not measured, because they failed: {', '.join(result['failed'])}."]
    if missed:
        lines += ["", "Missed:", ""]
        lines += [f"- **{f['name']}** ({f['ratio']:.2f}, bound {f['bound']:g}). {f['why'] or UNTOLD}" for f in missed]
    return "\n".join(lines) + "\n"


def row(figure: dict[str, Any]) -> str:
    """A figure as a line of the table; a missed ratio is bold."""
    ratio = f"{figure['ratio']:.2f}" if figure["held"] else f"**{figure['ratio']:.2f}**"
    value, yardstick = told(figure["value"], figure["unit"]), told(figure["yardstick"], figure["unit"])
    cells = [figure["part"], figure["name"], value, figure["beside"], yardstick, ratio, f"{figure['bound']:g}"]
    return f"| {' | '.join(cells)} |"


def main() -> int:
    """Rewrites the README; says what is wrong and answers 1 where it cannot."""
    if not sys.argv[1:]:
        print(__doc__)
        return 1
    text = README.read_text()
    if not MARKED.search(text):
        print(f"{README} has no marks between which the figures stand.")
        return 1
    sections = "\n".join(section(json.loads(Path(name).read_text())) for name in sys.argv[1:])
    README.write_text(MARKED.sub(lambda marks: f"{marks[1]}\n{sections}\n{marks[2]}", text))
    return 0


if __name__ == "__main__":
    sys.exit(main())
