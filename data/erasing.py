"""Erasing people: their columns are blanked in place; the row, its orders and every amount stay."""

from __future__ import annotations

from sqlalchemy import Connection

from data.jobs.batch import Batch, Result
from data.schema import Schema


def erase(connection: Connection, schema: Schema, batch: Batch) -> list[Result]:
    """Erases the batch's customers within its transaction; a result for each, in the order of the items.

    Whoever is not deleted any more, was deleted anew since the ids were frozen, or is not due any more is a conflict.
    Raises BooksMoved where a report would move, and the caller must roll back.
    """
    raise NotImplementedError
