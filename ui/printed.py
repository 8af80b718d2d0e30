"""The proof as a file: JSON, and the same as a page of paper, without scripts, for whoever wants it on a desk."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

from data import integrity
from data.events import stamp
from data.integrity import Report
from data.integrity.proof import MADE_BY
from data.integrity.report import AMOUNTS
from data.money import plain
from data.records import Seal
from ui import text
from ui.downloads import download_button

WORDS = {True: "Even", False: "Broken", None: "Could not see"}
HEADS = {
    "active": "Active",
    "deleted": "Deleted",
    "no_customer": "No customer",
    "missing_customer": "Missing customer",
    "total": "Total",
}
STYLE = """
@page { size: A4; margin: 16mm 14mm; }
body { font: 10pt/1.45 system-ui, sans-serif; color: #1B2430; background: #FFFFFF; max-width: 182mm; margin: 8mm auto; padding: 0 4mm; }
h1 { font-size: 17pt; margin: 0 0 2mm; } h2 { font-size: 12pt; margin: 8mm 0 2mm; break-after: avoid; }
h3 { font-size: 10pt; margin: 4mm 0 1mm; break-after: avoid; }
.verdict { border-left: 1.2mm solid; padding: 2mm 4mm; font-size: 12pt; margin: 4mm 0; }
.even { color: #187A4C; } .red { color: #C9284F; } .amber { color: #8A5A00; } .quiet { color: #4A5568; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: 1mm 2mm; border-bottom: 0.2mm solid #DDE2EA; }
th { font-weight: 600; } td.n, th.n { text-align: right; white-space: nowrap; } tr { break-inside: avoid; }
thead { display: table-header-group; } ul { margin: 1mm 0; padding-left: 5mm; } .wide { overflow-x: auto; }
pre { font: 8pt/1.35 ui-monospace, monospace; white-space: pre-wrap; overflow-wrap: anywhere; background: #F4F6F9; padding: 2mm; margin: 1mm 0; }
.code, td { overflow-wrap: anywhere; } td.n { overflow-wrap: normal; }
"""


def as_proof(report: Report, seals: Sequence[Seal], limits: Sequence[str], *, about: str) -> dict[str, Any]:
    """Everything that the page shows of a run, as JSON: `about` names the database. `python -m data.integrity --since`
    takes it as the proof that was kept outside, where the run has the chain's head."""
    return {
        "made_by": MADE_BY,
        "about": about,
        "verdict": integrity.verdict(report),
        **report.as_proof(),
        "seals": [
            {
                "month": s.month,
                "currency": s.currency,
                "orders": s.orders,
                "total": plain(s.total, report.decimals),
                "checksum": s.checksum,
                "event_id": s.event_id,
                "sealed_at": stamp(s.sealed_at),
                "actor": s.actor,
            }
            for s in seals
        ],
        "cannot_see": list(limits),
    }


def download_buttons(proof: Callable[[], dict[str, Any]]) -> None:
    """The proof as JSON and as a page that prints; made when somebody asks for it."""
    download_button(
        "Download the proof",
        lambda: as_json(proof()),
        "proof.json",
        "application/json",
        key="proof",
        icon=":material/download:",
        help="JSON. Keep it outside: python -m data.integrity --since proof.json compares a later day with it.",
    )
    download_button(
        "Printable page",
        lambda: as_page(proof()),
        "proof.html",
        "text/html",
        key="printable",
        icon=":material/print:",
    )


def as_json(proof: Mapping[str, Any]) -> str:
    """The proof, to be read by people too."""
    return json.dumps(proof, ensure_ascii=False, indent=2) + "\n"


def as_page(proof: Mapping[str, Any]) -> str:
    """The same on paper: light, A4, one file, nothing that runs and nothing that is fetched."""
    title = "Evenbooks: proof of the books"
    parts = [
        f"<h1>{title}</h1>",
        _line(f"{proof['about']}. As of {proof['snapshot_at']} (UTC)."),
        f'<p class="verdict {_tone(proof)}">{escape(proof["verdict"])}{_warnings(proof["checks"])}</p>',
        _chain(proof.get("head")),
        _counted(proof),
        "<h2>The checks</h2>",
        _checks(proof["checks"]),
        *_lists(proof["checks"]),
        "<h2>The split</h2>",
        _split([*proof["totals"], *proof["months"][::-1]]),
        "<h2>Sealed months</h2>",
        _seals(proof["seals"]),
        "<h2>What the check cannot see</h2>",
        _bullets(proof["cannot_see"]),
        "<h2>The SQL that was run</h2>",
        *_sql(proof["checks"]),
    ]
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light">'
        f"<title>{title}</title><style>{STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _tone(proof: Mapping[str, Any]) -> str:
    if proof["even"] is False:
        return "red"
    return "amber" if proof["unseen"] else "even"


def _warnings(checks: Sequence[Mapping[str, Any]]) -> str:
    """What the verdict does not count."""
    number = sum(_word(check) == "Warning" for check in checks)
    return f" {text.count(number, 'warning')}, listed below." if number else ""


def _line(words: str) -> str:
    return f'<p class="quiet">{escape(words)}</p>'


def _bullets(words: Sequence[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(one)}</li>" for one in words) + "</ul>"


def _chain(head: Mapping[str, Any] | None) -> str:
    if not head:
        return _line("This run did not keep where the chain of events ended.")
    return f'<p class="quiet">The chain of events ended with event {escape(str(head["event_id"]))}, hash <span class="code">{escape(str(head["hash"]))}</span>.</p>'


def _counted(proof: Mapping[str, Any]) -> str:
    """What a later day is compared with besides: how many customers, and by which mapping; nothing where a run kept neither."""
    customers, mapping = (proof.get("counts") or {}).get("customers"), proof.get("mapping")
    words = [] if customers is None else [f"There were {text.count(customers, 'customer')}, the deleted included."]
    words += [f"The mapping of tables and columns was {mapping}."] if mapping else []
    return f'<p class="quiet code">{escape(" ".join(words))}</p>' if words else ""


def _table(head: Sequence[str], rows: Sequence[Sequence[object]], numbers: Sequence[int] = ()) -> str:
    """A table; the columns in `numbers` are right-aligned."""

    def row(cells: Sequence[object], tag: str) -> str:
        kinds = [' class="n"' if at in numbers else "" for at in range(len(cells))]
        return (
            "<tr>" + "".join(f"<{tag}{k}>{escape(str(c))}</{tag}>" for k, c in zip(kinds, cells, strict=True)) + "</tr>"
        )

    body = "".join(row(cells, "td") for cells in rows)
    return f'<div class="wide"><table><thead>{row(head, "th")}</thead><tbody>{body}</tbody></table></div>'


def _word(check: Mapping[str, Any]) -> str:
    warns = check["ok"] is False and check["level"] == "warning"
    return "Warning" if warns else WORDS[check["ok"]]


def _checks(checks: Sequence[Mapping[str, Any]]) -> str:
    rows = [(_word(c), c.get("question") or c["name"], c["detail"]) for c in checks]
    return _table(["Answer", "Question", "What was found"], rows)


def _lists(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    """What was found, and what somebody accepted."""
    parts = []
    for check in checks:
        for words, named in ((check["examples"], ""), (check.get("accepted") or [], " (accepted)")):
            if words:
                more = (
                    f", the first {len(words)} of {check['count']}" if not named and check["count"] > len(words) else ""
                )
                parts.append(f"<h3>{escape(check['name'])}{named}{more}</h3>{_bullets(words)}")
    return parts


def _split(rows: Sequence[Mapping[str, Any]]) -> str:
    def name(row: Mapping[str, Any]) -> str:
        return (row["month"] or "no date") if "month" in row else "all months"

    body = [(name(r), r["currency"], r["orders"], r["deleted_orders"], *(r[a] for a in AMOUNTS)) for r in rows]
    head = ["Month", "Currency", "Orders", "Of deleted", *(HEADS[a] for a in AMOUNTS)]
    return _table(head, body, numbers=range(2, len(head)))


def _seals(seals: Sequence[Mapping[str, Any]]) -> str:
    if not seals:
        return _line("No month is sealed.")
    names = ["month", "currency", "orders", "total", "sealed_at", "actor", "event_id", "checksum"]
    head = ["Month", "Currency", "Orders", "Total", "Sealed", "By", "Event", "Checksum"]
    return _table(head, [[s[n] for n in names] for s in seals], numbers=(2, 3))


def _sql(checks: Sequence[Mapping[str, Any]]) -> list[str]:
    parts = []
    for check in checks:
        if check.get("sql"):
            blocks = "".join(f"<pre>{escape(statement)}</pre>" for statement in check["sql"])
            parts.append(f"<h3>{escape(check.get('question') or check['name'])}</h3>{blocks}")
    return parts
