"""`python -m data.tokens add|list|revoke`: the API's tokens on the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime

from data import tokens
from data.access import Role, script_actor
from data.database import Database, attach, now
from data.demo import ensure_demo
from data.errors import EvenbooksError
from data.records import Token
from data.settings import load_settings

CONFIG = "the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)"
HEADINGS = ("name", "role", "owner", "made (UTC)", "expires", "last used", "state")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m data.tokens",
        description="Makes, lists and revokes the tokens with which other programs use the API. Exits 0 when it is done, "
        "1 with a sentence when it is refused, 2 when it is not understood.",
    )
    commands = parser.add_subparsers(dest="command", required=True)
    add = commands.add_parser("add", help="make a token; it is printed once, as the last line, and kept nowhere")
    add.add_argument("name", metavar="NAME", help="what uses it; 1 to 64 characters")
    add.add_argument("--role", required=True, choices=[str(role) for role in Role], help="what it may do")
    add.add_argument("--days", type=int, metavar="N", help="how long it works (default: until it is revoked)")
    add.add_argument(
        "--owner",
        metavar="WHO",
        help="who answers for it (default: you; has to be named where deletions wait for approval)",
    )
    listed = commands.add_parser(
        "list", help="every token with its role, owner, times and state; never the token itself"
    )
    revoke = commands.add_parser("revoke", help="end a token; the next request with it is refused")
    revoke.add_argument("name", metavar="NAME", help="the token's name")
    for command in (add, listed, revoke):
        command.add_argument("--config", metavar="FILE", help=CONFIG)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0, 1 with a sentence where it is refused, 2 when it is not understood."""
    options = _parser().parse_args(arguments)
    try:
        lines = _act(_attached(options.config), options)
    except EvenbooksError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


def _attached(config: str | None) -> Database:
    """The database that the settings name; the demo company is made first where they name none."""
    settings = load_settings(config=config)
    ensure_demo(settings, lambda line: print(line, file=sys.stderr))
    return attach(settings)


def _act(database: Database, options: argparse.Namespace) -> list[str]:
    """Does it, as whoever runs the command. Answers the lines to print."""
    actor = script_actor()
    if options.command == "add":
        made = tokens.add(
            database, options.name, role=Role(options.role), owner=options.owner, days=options.days, actor=actor
        )
        return ["This token is shown once and kept nowhere. Give it to the program, or revoke it:", made]
    if options.command == "revoke":
        count = tokens.revoke(database, options.name, actor=actor)
        return [f"{options.name.strip()} is revoked" + (f" ({count} tokens)." if count > 1 else ".")]
    return _table(tokens.list_all(database, actor=actor), now())


def _table(listed: Sequence[Token], at: datetime) -> list[str]:
    if not listed:
        return ["There are no tokens. Make one: python -m data.tokens add NAME --role ROLE"]
    rows = [HEADINGS, *(_cells(token, at) for token in listed)]
    widths = [max(len(row[n]) for row in rows) for n in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _cells(token: Token, at: datetime) -> tuple[str, ...]:
    """A token's line; times in UTC to the minute."""
    times = [_time(token.made_at), _time(token.expires_at, "never"), _time(token.last_used_at, "never")]
    words = [token.name, token.role, token.owner, *times, tokens.state_of(token, at)]
    return tuple("".join(c if c.isprintable() else "?" for c in str(word)) for word in words)


def _time(moment: object, missing: str = "") -> str:
    if isinstance(moment, datetime):
        return f"{moment:%Y-%m-%d %H:%M}"
    return missing if moment is None else str(moment)
