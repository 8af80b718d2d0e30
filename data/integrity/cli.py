"""`python -m data.integrity`: the check, seals, proofs and acceptance on the command line."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tqdm import tqdm

from data import seals
from data.access import script_actor
from data.database import Database, attach
from data.errors import BooksNotEven, Conflict, InvalidInput
from data.integrity.accept import acknowledge
from data.integrity.look import Progress, no_progress
from data.integrity.proof import make_proof, read_proof_file
from data.integrity.report import render
from data.integrity.run import run_and_record
from data.looking import could_not_look
from data.money import plain
from data.settings import load_settings

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
ABOUT = """Checks that the books are even, and prints every check and the split by month. Exits 0 when they are, 1 when a
check of level error is red (or a month could not be sealed), 2 when it could not look."""


def _month_argument(value: str) -> str:
    if not MONTH.fullmatch(value):
        raise argparse.ArgumentTypeError(f"a month looks like 2026-03; found {value!r}")
    return value


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m data.integrity", description=ABOUT)
    month: dict[str, Any] = {"type": _month_argument, "metavar": "YYYY-MM"}
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument("--from", dest="first", **month, help="first month of the split")
    parser.add_argument("--to", dest="last", **month, help="last month of the split")
    parser.add_argument("--since", metavar="FILE", help="also compare with a proof that was kept outside")
    parser.add_argument("--config", help="the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)")
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--head", action="store_true", help="print the proof to keep outside, and do nothing else")
    instead.add_argument("--seal", **month, help="seal a month that is over; a reason where it was sealed before")
    instead.add_argument("--unseal", **month, help="open a sealed month again, with a reason")
    instead.add_argument(
        "--acknowledge", nargs=2, metavar=("CHECK", "ID"), help="accept one finding of a check, with a reason"
    )
    parser.add_argument("--reason", help="why a month is unsealed or sealed again, or a finding accepted")
    return parser


@contextmanager
def _bar() -> Iterator[Progress]:
    """A progress bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield no_progress
        return
    with tqdm(total=100, unit="%", bar_format="{desc}: {percentage:3.0f} % |{bar}| {elapsed}", leave=False) as bar:

        def told(done: float, words: str) -> None:
            bar.set_description_str(words or bar.desc or "", refresh=False)
            bar.update(round(done * 100, 1) - bar.n)

        yield told


def main(arguments: Sequence[str] | None = None) -> int:
    """The command. Exits 0 when the books are even, 1 when a check of level error is red, 2 when it could not look, or
    not at the sums."""
    options = _parser().parse_args(arguments)
    try:
        _refuse_nonsense(options)
        database = attach(load_settings(config=options.config))
        if options.head:
            print(json.dumps(make_proof(database), ensure_ascii=False, indent=2))
            return 0
        if options.seal or options.unseal or options.acknowledge:
            return _act(database, options)
        return _check(database, options)
    except KeyboardInterrupt:
        print("Stopped before the end, so it says nothing.", file=sys.stderr)
        return 2
    except Exception as error:
        return could_not_look(error, "even", as_json=options.json)


def _refuse_nonsense(options: argparse.Namespace) -> None:
    """Raises InvalidInput where the options do not fit together."""
    acts = options.seal or options.unseal or options.acknowledge or options.head
    if acts and (options.first or options.last or options.since):
        raise InvalidInput("--from, --to and --since belong to the check; give them without the other actions.")
    if options.reason and not (options.seal or options.unseal or options.acknowledge):
        raise InvalidInput("--reason says why a month is unsealed or sealed again, or a finding accepted.")
    if (options.unseal or options.acknowledge) and not (options.reason or "").strip():
        raise InvalidInput("Give a --reason.")
    if options.first and options.last and options.first > options.last:
        raise InvalidInput(f"--from {options.first} is after --to {options.last}.")


def _check(database: Database, options: argparse.Namespace) -> int:
    proof = read_proof_file(Path(options.since)) if options.since else None
    with _bar() as progress:
        report = run_and_record(database, first=options.first, last=options.last, progress=progress, proof=proof)
    print(json.dumps(report.as_dict(), ensure_ascii=False) if options.json else render(report))
    return {True: 0, False: 1, None: 2}[report.even]


def _act(database: Database, options: argparse.Namespace) -> int:
    """Seals, unseals or accepts; what is refused is said, and exits 1."""
    actor = script_actor()
    try:
        with _bar() as progress:
            if options.seal:
                done = seals.seal(database, options.seal, actor=actor, reason=options.reason, progress=progress)
                decimals = database.settings.money.decimals
                words = [
                    f"{s.month} is sealed: {s.orders} orders, {s.currency} {plain(s.total, decimals)}." for s in done
                ]
            elif options.unseal:
                seals.unseal(database, options.unseal, actor=actor, reason=options.reason)
                words = [f"{options.unseal} is no longer sealed."]
            else:
                check, finding = options.acknowledge
                found = acknowledge(database, check, finding, actor=actor, reason=options.reason, progress=progress)
                words = [f"Accepted: {found.words}"]
    except (BooksNotEven, Conflict, InvalidInput) as error:
        if options.json:
            print(json.dumps({"done": False, "error": {"code": type(error).__name__, "message": str(error)}}))
        else:
            print(error, file=sys.stderr)
        return 1
    print(json.dumps({"done": True, "message": " ".join(words)}) if options.json else "\n".join(words))
    return 0
