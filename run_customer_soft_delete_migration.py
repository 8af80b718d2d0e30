"""The migration: prepares a database for soft delete, or undoes that."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from data import migration
from data.detection.cli import detect
from data.errors import EvenbooksError
from data.settings import load_settings

ABOUT = """Prepares the database for soft delete: inspects it, makes what is missing, verifies, and proves that no
total moved. Running it again does nothing, or mends what was dropped since; interrupted, it continues."""


OPTIONS = ("revenue_index", "active_unique", "invisible", "views", "guard", "guard_orders")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0 when all is well, 1 with a sentence when not, 2 when the command is not understood."""
    parser = argparse.ArgumentParser(description=ABOUT)
    parser.add_argument("--database-url", metavar="URL", help="the database (default: DATABASE_URL, or the demo)")
    parser.add_argument(
        "--config", metavar="FILE", help="the configuration (default: EVENBOOKS_CONFIG, or evenbooks.toml)"
    )
    parser.add_argument("--dry-run", action="store_true", help="print the exact SQL and change nothing")
    parser.add_argument(
        "--revenue-index", action="store_true", help="also make the two indexes of orders that reports use"
    )
    parser.add_argument(
        "--active-unique", action="store_true", help="also keep the e-mail addresses of active customers apart"
    )
    parser.add_argument(
        "--invisible",
        action="store_true",
        help="hide deleted_at from programs that insert by position (MariaDB, MySQL)",
    )
    parser.add_argument(
        "--views",
        action="store_true",
        help="also make the views active_customers and all_customers, for other programs",
    )
    parser.add_argument("--guard", action="store_true", help="also refuse physical deletes of customers, by a trigger")
    parser.add_argument(
        "--guard-orders",
        action="store_true",
        help="also refuse deletes of orders; not for shops that delete drafts",
    )
    parser.add_argument("--undo", action="store_true", help="export the events, then remove what this command made")
    parser.add_argument(
        "--detect",
        nargs="?",
        const="",
        metavar="FILE",
        help="look at the database, change nothing, and propose evenbooks.toml; written to FILE (or --config) where named",
    )
    options = parser.parse_args(arguments)
    wanted = {name: getattr(options, name) for name in OPTIONS}
    if options.undo and any(wanted.values()):
        parser.error("--undo removes all that this command made; give one of the two")
    try:
        if options.detect is not None:
            return detect(database_url=options.database_url, file=options.detect or options.config)
        settings = load_settings(config=options.config, database_url=options.database_url)
        if options.undo:
            migration.undo(settings, dry_run=options.dry_run, say=_say)
        else:
            migration.migrate(settings, dry_run=options.dry_run, say=_say, **wanted)
    except EvenbooksError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped. Run it again: it continues where it was.", file=sys.stderr)
        return 130
    return 0


def _say(line: str) -> None:
    try:
        print(line, flush=True)
    except BrokenPipeError:  # whoever read along has gone (| head); the work is finished all the same
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 (to the end of the process)


if __name__ == "__main__":
    sys.exit(main())
