"""The migration: prepares a database for soft delete, or undoes that."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from data import migration
from data.errors import EvenbooksError
from data.settings import load_settings

ABOUT = """Prepares the database for soft delete: inspects it, makes what is missing, verifies, and proves that no
total moved. Running it again does nothing, or mends what was dropped since; interrupted, it continues."""


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
    parser.add_argument("--guard", action="store_true", help="also refuse physical deletes of customers, by a trigger")
    parser.add_argument(
        "--guard-orders",
        action="store_true",
        help="also refuse deletes of orders; not for shops that delete drafts",
    )
    parser.add_argument("--undo", action="store_true", help="export the events, then remove what this command made")
    options = parser.parse_args(arguments)
    wanted = {name: getattr(options, name) for name in ("revenue_index", "guard", "guard_orders")}
    if options.undo and any(wanted.values()):
        parser.error("--undo removes the revenue indexes and guards too; give one of the two")
    try:
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
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
