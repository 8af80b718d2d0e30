"""`python -m data.backup_check`: compares a restored backup with the live database."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict

from data.access import script_actor
from data.backup_check.run import OPTION, check
from data.backup_check.sides import Comparison
from data.database import attach
from data.looking import could_not_look
from data.settings import load_settings

ABOUT = """Compares a restored backup with the live database (DATABASE_URL), as of the backup's last event, and keeps the
result as an event. The copy is only read. Exits 0 when nothing differs, 1 when something does, 2 when it could not look, or not
at all that has to be seen."""
CODES = {True: 0, False: 1, None: 2}


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0 when nothing differs, 1 when something does, 2 when it could not look or see enough."""
    parser = argparse.ArgumentParser(prog="python -m data.backup_check", description=ABOUT)
    parser.add_argument(OPTION, required=True, metavar="URL", help="the database into which the backup was restored")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument("--config", help="the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)")
    options = parser.parse_args(arguments)
    try:
        database = attach(load_settings(config=options.config))
        found = check(database, options.restored_url, actor=script_actor())
    except Exception as error:
        return could_not_look(error, "passed", as_json=options.json)
    print(json.dumps(_as_json(found), ensure_ascii=False) if options.json else _render(found))
    return CODES[found.passed]


def _as_json(found: Comparison) -> dict[str, object]:
    return {"passed": found.passed, **asdict(found)}


def _render(found: Comparison) -> str:
    """The result as text for a terminal."""
    figures = found.figures
    totals = " and ".join(f"{currency} {total}" for currency, total in sorted(figures["totals"].items())) or "nothing"
    lines = [
        f"The copy ends with event {found.head.event_id}, and was made {found.copy_at or 'at a time that it does not say'} "
        f"or later. It holds {figures['customers']} customers, {figures['deleted']} "
        f"of them deleted, and {figures['orders']} orders; those that count are worth {totals}.",
        f"Compared exactly: {figures['months_compared']} months that were over, {figures['sealed_months']} of them sealed"
        + ("" if figures["last_order"] is None else f", and every order up to number {figures['last_order']}")
        + ". Had the copy lost orders after that, it would not be noticed.",
        *(f"DIFFERS {words}" for words in found.differences),
        *(f"BLIND   {words}" for words in found.blind),
        *(f"unseen  {words}" for words in found.unseen),
        "",
    ]
    count = len(found.unseen)
    unseen = f" {count} {'thing' if count == 1 else 'things'} could not be seen." if count else ""
    verdict = {
        True: f"The backup passed: nothing differs.{unseen}",
        False: "The backup differs from the live database.",
        None: "The backup has not passed: nothing differs, but not all that has to be seen could be.",
    }[found.passed]
    return "\n".join([*lines, f"{verdict} Kept as event {found.event_id}."])
