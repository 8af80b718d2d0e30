"""What became of each customer of a job, as a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from data import jobs, queries
from data.database import Database, snapshot
from data.exports import sheets
from data.exports.sheets import Column, Kind, Row, Sheet


def job_result(database: Database, filters: Mapping[str, str | None]) -> list[Sheet]:
    """Customers in the order of the job, with what happened to each; `job` is its id. Raises JobNotFound."""
    job = jobs.get(database, filters.get("job") or "")
    columns = (
        Column("number", Kind.NUMBER, 10),
        Column("customer_id", Kind.NUMBER, 14),
        Column("name", width=26),
        Column("result", width=14),
        Column("words", width=60),
        Column("event_id", Kind.NUMBER, 10),
    )
    title = f"{job.kind.capitalize()} result"
    return [Sheet(title, columns, _pages(database, job.id), database.settings.money.decimals)]


def _pages(database: Database, job_id: str) -> Iterator[list[Row]]:
    after = 0
    while True:
        items = jobs.items(database, job_id, after=after, limit=sheets.PAGE)
        with snapshot(database) as moment:
            ids = [item.customer_id for item in items]
            known = queries.get_customers(moment.connection, database.schema, ids) if ids else {}
        names = {key: customer.name for key, customer in known.items()}
        yield [[i.number, i.customer_id, names.get(i.customer_id), i.result, i.words, i.event_id] for i in items]
        if len(items) < sheets.PAGE:
            return
        after = items[-1].number
