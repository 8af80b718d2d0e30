"""Files of the deleted customers, each made by a process of its own: rows a second, and memory."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from sqlalchemy import text

from bench.measured import Measured
from bench.measuring import Figure, resident, seconds
from data import exports
from data.database import attach
from data.settings import load_settings

ROOT = Path(__file__).resolve().parent.parent
# What a file needs that knows no history: the customers, and what their orders are worth.
PLAIN = """
SELECT c.id, c.name, c.email, c.created_at, c.deleted_at, COUNT(o.id), SUM(o.total)
FROM customers c LEFT JOIN orders o ON o.customer_id = c.id
WHERE c.deleted_at IS NOT NULL
GROUP BY c.id, c.name, c.email, c.created_at, c.deleted_at
ORDER BY c.deleted_at DESC
"""
PYTHON = "Each row is put together in Python: who deleted, why and when is read from the events, and no cell may run as a formula."


def bench_exports(measured: Measured) -> list[Figure]:
    """Every deleted customer as CSV and as XLSX, beside one statement whose rows are written as they come."""
    plain = seconds(lambda: write_plain(measured), times=3)
    made = {form: run(measured.url, form) for form in exports.FORMATS}
    rows = made["csv"]["rows"]
    name, memory = f"{rows:,} deleted customers as", max(one["megabytes"] for one in made.values())
    return [
        Figure(f"{name} CSV", made["csv"]["seconds"], "s", "one statement, plain CSV", plain, 8, why=PYTHON),
        Figure(f"{name} XLSX", made["xlsx"]["seconds"], "s", "the same as CSV", made["csv"]["seconds"], 8, why=PYTHON),
        Figure("rows of CSV a second", rows / made["csv"]["seconds"], "/s", "5,000", 5000, 1, more=True, why=PYTHON),
        Figure("memory for the file, CSV or XLSX", memory, "MB", "32 MB", 32, 1),
    ]


def write_plain(measured: Measured) -> None:
    """The yardstick."""
    with measured.database.engine.connect() as connection:
        csv.writer(io.StringIO()).writerows(connection.execute(text(PLAIN)).all())


def run(url: str, form: str) -> dict[str, float]:
    """One file made by a fresh process: its rows, seconds, and by how many MB the process grew."""
    command = [sys.executable, "-m", "bench.exporting", form]
    done = subprocess.run(
        command, cwd=ROOT, env={**os.environ, "DATABASE_URL": url}, check=True, stdout=subprocess.PIPE, text=True
    )
    found: dict[str, float] = json.loads(done.stdout)
    return found


def main() -> None:
    """The file, thrown away. A first one, of nobody, brings in what the process needs anyway."""
    database, form = attach(load_settings()), sys.argv[1]
    write(database, form, {"search": "#0"})
    Path("/proc/self/clear_refs").write_text("5")  # the peak begins anew, at what the process has now
    before, start = resident(os.getpid()), time.perf_counter()
    rows = write(database, form, {})
    found = {
        "rows": rows,
        "seconds": time.perf_counter() - start,
        "megabytes": resident(os.getpid(), peak=True) - before,
    }
    print(json.dumps(found))


def write(database: object, form: str, filters: dict[str, str | None]) -> int:
    """Writes the file and answers how many rows it has."""
    (sheet,) = exports.open_report(database, "deleted_customers", filters)  # type: ignore[arg-type]
    with tempfile.TemporaryFile() as file:
        if form == "csv":
            for part in exports.csv_pages(sheet):
                file.write(part.encode())
            file.seek(0)
            return sum(1 for _ in csv.reader(io.TextIOWrapper(file, newline=""))) - 1
        rows, pages = [0], sheet.pages

        def counted() -> object:
            for one in pages:
                rows[0] += len(one)
                yield one

        exports.write_xlsx([type(sheet)(sheet.title, sheet.columns, counted(), sheet.decimals)], file)  # type: ignore[arg-type]
        return rows[0]


if __name__ == "__main__":
    main()
