"""Files for spreadsheets, CSV and XLSX, in which nobody's text can run as a formula.

A report is one or more sheets, whose rows are read a page at a time; from the replica where there is one and the page
behind it does not read the primary.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from data.access import Permission
from data.database import Database
from data.errors import InvalidInput
from data.exports.as_csv import csv_pages
from data.exports.as_xlsx import write_xlsx
from data.exports.checked import last_check
from data.exports.deleted import deleted_customers
from data.exports.history import events
from data.exports.job import job_result
from data.exports.revenue import revenue_by_month
from data.exports.sheets import Sheet
from data.replica import source_of_reports

__all__ = ["FORMATS", "REPORTS", "Report", "csv_pages", "deleted_customers", "file_name", "open_report", "write_xlsx"]

FORMATS = ("csv", "xlsx")
Filters = Mapping[str, str | None]


@dataclass(frozen=True)
class Report:
    """What can be downloaded: how its sheets are opened, who may, whether it holds personal data, and whether a replica
    serves it. What the Revenue and Integrity pages show is read where they read it."""

    open: Callable[[Database, Filters], list[Sheet]]
    permission: Permission
    personal: bool = True
    from_replica: bool = True


REPORTS = {
    "deleted_customers": Report(deleted_customers, Permission.READ_CUSTOMERS),
    "history": Report(events, Permission.READ_CUSTOMERS),
    "job_result": Report(job_result, Permission.READ_CUSTOMERS),
    "revenue": Report(revenue_by_month, Permission.READ_REVENUE, personal=False, from_replica=False),
    "integrity": Report(last_check, Permission.READ_INTEGRITY, personal=False, from_replica=False),
}


def open_report(database: Database, name: str, filters: Filters) -> list[Sheet]:
    """The sheets of a report; most rows are read when they are asked for.

    Raises StaleReplica, InvalidInput where a filter cannot be read, and what reading raises.
    """
    if name not in REPORTS:
        raise InvalidInput(f"There is no report {name}.")
    report = REPORTS[name]
    return report.open(source_of_reports(database).database if report.from_replica else database, filters)


def file_name(name: str, form: str) -> str:
    """What the file is called."""
    return f"{name}.{form}"
