"""The customers' own mark of deletion, and flags that look like one but are not used."""

from __future__ import annotations

from data.detection.reading import Reader
from data.detection.statuses import counted
from data.detection.tables import Column, Table
from data.detection.words import listed, raw_words, words_of

OWN_NAME = "evenbooks_deleted_at"
NOT_A_FLAG = listed("time date by id note email group last")


def deletion_mark(reader: Reader, table: Table) -> tuple[str | None, str | None]:
    """The name for [customers] deleted_at where it is not to be the default, and why."""
    refused = None
    for c in table.columns.values():
        words = words_of(c.name)
        if "deleted" not in words or {"by", "note", "user", "is", "updated"} & set(words):
            continue
        problem = _problem(reader, table, c)
        if problem is None:
            deleted = (
                "nobody is"
                if not reader.values(table, c.name)
                else f"{len(reader.values(table, c.name))} of the sample are"
            )
            return c.name, f"{c.name} is used as it is: {deleted} deleted already, and stay so."
        if c.name.casefold() == "deleted_at":
            refused = f"{c.name} is there, but {problem}; another column is made beside it."
    return (OWN_NAME, refused) if refused else (None, None)


def _problem(reader: Reader, table: Table, c: Column) -> str | None:
    """Why a column of such a name cannot be the mark."""
    timed = c.kind == "datetime" or (reader.connection.dialect.name == "sqlite" and c.kind in {"date", "text"})
    if not timed:
        return f"it is {c.kind}, not a time"
    if not c.nullable:
        return "it does not allow NULL"
    if c.has_default:
        return "it has a default, so new customers would count as deleted"
    if reader.rows(table) and all(row.get(c.name) is not None for row in reader.rows(table)):
        return "it is filled for every customer of the sample"
    return None


def find_flags(reader: Reader, table: Table, mark: str | None) -> list[str]:
    """Sentences about columns that look like deletion and are not used, with their values."""
    found = []
    addressed = any("address" in words_of(name) for name in table.columns)
    for c in table.columns.values():
        words = set(words_of(c.name))
        if (
            c.name == mark
            or not words & {"active", "deleted", "status", "canceled"}
            or c.kind in {"binary", "other", "time"}
        ):
            continue
        if c.kind in {"datetime", "date"}:
            if "deleted" in words or "active" in words:
                found.append(
                    f"{c.name} is not used: it looks like an end, but does not say that a customer is deleted here."
                )
            continue
        if {"state", "region"} & set(raw_words(c.name)) and addressed:
            continue  # of a country
        if NOT_A_FLAG & words or ("canceled" in words and c.kind != "boolean"):
            continue
        counts = reader.counts(table, c.name)
        if len(counts) <= 12:
            found.append(
                f"{c.name} is not used ({counted(counts)}): who is marked so by another program stays an active customer here."
            )
    return found
