"""`python -m data.demo`: the demo company at any size, in a database that has none yet."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from tqdm import tqdm

from data.demo.build import Size, make, make_file
from data.errors import EvenbooksError
from data.settings import DEMO_FILE, File, Settings, load_settings

MAPPING = '[customers]\nphone = "phone"\n[orders]\ncost = "cost"\n'


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the company; answers the exit code: 0 made, 1 not, with a sentence on standard error."""
    options = _parser().parse_args(arguments)
    size = Size(options.customers, options.orders, options.months, options.seed)
    progress = Progress(size.customers + size.orders)
    try:
        settings = _settings(options.database_url)
        maker: Callable[..., str] = make_file if settings.is_demo else make
        line = maker(settings, size, revenue_index=options.revenue_index, step=progress.step)
    except EvenbooksError as error:
        progress.close()
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        progress.close()
        sys.stderr.write("Interrupted. Tables that were made so far are incomplete: drop them, then run this again.\n")
        return 1
    progress.close()
    sys.stdout.write(f"{line}\n")
    if not settings.is_demo:
        sys.stderr.write("For phone numbers and profit, evenbooks.toml says:\n" + MAPPING)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m data.demo", description=__doc__)
    default = Size()
    parser.add_argument("--customers", type=_at_least(1), default=default.customers, metavar="N")
    parser.add_argument("--orders", type=_at_least(0), default=default.orders, metavar="M", help="refunds included")
    parser.add_argument("--months", type=_at_least(1), default=default.months, help="up to and with the current one")
    parser.add_argument("--seed", type=_at_least(0), default=default.seed, help="another number, another company")
    parser.add_argument("--database-url", metavar="URL", help="default: DATABASE_URL, else the demo's own file")
    parser.add_argument("--revenue-index", action="store_true", help="make the two order indexes for fast reports too")
    return parser


def _at_least(least: int) -> Callable[[str], int]:
    def read(words: str) -> int:
        if not words.isdecimal() or int(words) < least:
            raise argparse.ArgumentTypeError(f"this is a whole number from {least} up; found {words}")
        return int(words)

    return read


def _settings(database_url: str | None) -> Settings:
    """The company's own mapping, whatever evenbooks.toml says: that file maps another company's tables."""
    settings = load_settings(database_url=database_url)
    mapping = File.model_validate(DEMO_FILE if settings.is_demo else {})
    return settings.model_copy(update=dict(mapping))


class Progress:
    """A bar on a terminal; elsewhere a line at every quarter and at what follows."""

    def __init__(self, total: int) -> None:
        self.bar = tqdm(total=total, unit=" rows", unit_scale=True, file=sys.stderr, disable=not sys.stderr.isatty())
        self.total, self.done = total, 0

    def step(self, count: int, what: str) -> None:
        """So many more rows of this kind are written; or 0 and what begins."""
        quarters = 4 * self.done // self.total
        self.done += count
        self.bar.set_description(what)
        self.bar.update(count)
        if not self.bar.disable:
            return
        if count == 0:
            sys.stderr.write(f"{what[:1].upper()}{what[1:]}\n")
        elif 4 * self.done // self.total > quarters:
            sys.stderr.write(f"{self.done:,} of {self.total:,} rows written\n")

    def close(self) -> None:
        """Leaves the bar as it stands."""
        self.bar.close()


if __name__ == "__main__":
    sys.exit(main())
