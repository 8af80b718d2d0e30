"""`python -m data.sql audit|debug|grants`: prints SQL for the attached database, and changes nothing."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from data.database import attach
from data.errors import EvenbooksError
from data.settings import load_settings
from data.sql.audit import audit_sql, question_names
from data.sql.debug import debug_question_names, debug_sql
from data.sql.grants import Accounts, grants_sql

CONFIG = "the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data.sql",
        description="Prints plain SQL for the attached database (DATABASE_URL, and the mapping in evenbooks.toml).",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    audit = commands.add_parser(
        "audit", help="the questions of an audit, to be piped into the database's own command-line client"
    )
    audit.add_argument("name", nargs="?", metavar="NAME", help=f"one question: {', '.join(question_names())}")
    audit.add_argument("--config", metavar="FILE", help=CONFIG)
    debug = commands.add_parser(
        "debug", help="questions for whoever looks for a fault: migration, indexes, chain, checks, jobs, locks, replica"
    )
    debug.add_argument("name", nargs="?", metavar="NAME", help=f"one question: {', '.join(debug_question_names())}")
    debug.add_argument("--config", metavar="FILE", help=CONFIG)
    grants = commands.add_parser(
        "grants", help="what the application's account may do, and an auditor's that only reads"
    )
    grants.add_argument("--app", default="evenbooks", help="the application's account (default: evenbooks)")
    grants.add_argument(
        "--reader", default="evenbooks_reader", help="the account that only reads (default: evenbooks_reader)"
    )
    grants.add_argument(
        "--host", default="%", help="the host from which both come (default: %%, any; PostgreSQL has it in pg_hba.conf)"
    )
    grants.add_argument("--config", metavar="FILE", help=CONFIG)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0, 1 with a sentence where there is nothing to print for, 2 when it is not understood."""
    options = _parser().parse_args(arguments)
    try:
        settings = load_settings(config=options.config)
        if options.command == "debug":
            text = debug_sql(settings, options.name)
        elif options.command == "audit":
            text = audit_sql(attach(settings), options.name)
        else:
            text = grants_sql(attach(settings), Accounts(options.app, options.reader, options.host))
    except EvenbooksError as error:
        print(error, file=sys.stderr)
        return 1
    print(text, end="")
    return 0
