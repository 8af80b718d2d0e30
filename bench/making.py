"""Making the demo company: the small one of the first start in a file, and a large one on the server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy.engine import make_url

from bench.measured import Measured
from bench.measuring import Figure
from data.engines import make_engine

ROOT = Path(__file__).resolve().parent.parent
FEW = 10.0  # seconds for the company of the first start
MANY, LONG = 1_000_000, 120.0  # orders, and the seconds for them
NAME = "making"


def bench_making(measured: Measured) -> list[Figure]:
    """The demo company of the first start, and one of a million orders on this server, each by its command."""
    with tempfile.TemporaryDirectory() as folder:
        few = make(f"sqlite:///{folder}/demo.sqlite")
    orders = min(MANY, measured.orders)
    url = make_url(measured.url)
    engine = make_engine(url).execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f"CREATE DATABASE {NAME}")
    many = make(url.set(database=NAME).render_as_string(hide_password=False), orders)
    with engine.connect() as connection:
        connection.exec_driver_sql(f"DROP DATABASE {NAME}")
    engine.dispose()
    bound = LONG * orders / MANY
    return [
        Figure("demo company of the first start", few, "s", f"{FEW:.0f} s", FEW, 1),
        Figure(f"demo company of {orders:,} orders", many, "s", f"{bound:.0f} s", bound, 1),
    ]


def make(url: str, orders: int | None = None) -> float:
    """Seconds of `python -m data.demo`, with a tenth as many customers."""
    size = [] if orders is None else ["--customers", str(orders // 10), "--orders", str(orders)]
    start = time.perf_counter()
    command = [sys.executable, "-m", "data.demo", *size, "--database-url", url]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start
