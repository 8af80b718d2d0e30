"""`python -m data.integrity`: the check, seals, proofs and acceptance on the command line."""

from __future__ import annotations

import argparse
import json
import logging
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tqdm import tqdm

from data.database import attach
from data.errors import EvenbooksError, InvalidInput
from data.integrity.look import Progress, no_progress
from data.integrity.report import render
from data.integrity.run import run_and_record
from data.settings import load_settings

MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")


def _month_argument(value: str) -> str:
    if not MONTH.fullmatch(value):
        raise argparse.ArgumentTypeError(f"a month looks like 2026-03; found {value!r}")
    return value


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
    """The command. Exits 0 when the books are even, 1 when a check of level error is red, 2 when it could not look."""
    parser = argparse.ArgumentParser(prog="python -m data.integrity", description="Checks that the books are even.")
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.add_argument(
        "--from", dest="first", type=_month_argument, metavar="YYYY-MM", help="first month of the split"
    )
    parser.add_argument("--to", dest="last", type=_month_argument, metavar="YYYY-MM", help="last month of the split")
    parser.add_argument("--config", help="the configuration file (default: EVENBOOKS_CONFIG, or evenbooks.toml)")
    options = parser.parse_args(arguments)
    try:
        if options.first and options.last and options.first > options.last:
            raise InvalidInput(f"--from {options.first} is after --to {options.last}.")
        database = attach(load_settings(config=options.config))
        with _bar() as progress:
            report = run_and_record(database, first=options.first, last=options.last, progress=progress)
    except KeyboardInterrupt:
        print("Stopped before the end, so it says nothing.", file=sys.stderr)
        return 2
    except Exception as error:  # whatever it is, it could not look, which is not the same as uneven
        if not isinstance(error, EvenbooksError):
            logging.getLogger("evenbooks").exception("the check failed")
        if options.json:
            print(json.dumps({"even": None, "error": {"code": type(error).__name__, "message": str(error)}}))
        else:
            print(f"Could not look: {error}", file=sys.stderr)
        return 2
    print(json.dumps(report.as_dict(), ensure_ascii=False) if options.json else render(report))
    return 0 if report.even else 1
