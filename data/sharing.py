"""E-mail addresses of deleted customers that active ones have by now: who has them, and whether both may."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection

from data import queries
from data.database import Database, ask
from data.migration.indexes import name_is_taken
from data.migration.unique import COLUMN
from data.migration.unique_keys import index_name, unique_keys
from data.records import Customer, CustomerId
from data.schema import Schema


def find_sharing_emails(database: Database, customers: Sequence[Customer]) -> dict[CustomerId, Customer]:
    """Of these deleted customers those whose e-mail address another has by now, whatever its case, by id, with that one.

    The other is active, or else comes earlier among these.
    """
    found = ask(database, lambda c: queries.find_sharing(c, database.schema, customers))
    first: dict[str, Customer] = {}
    for customer in customers:
        twin = first.setdefault((customer.email or "").casefold(), customer)
        if customer.email and twin is not customer:
            found.setdefault(customer.id, twin)
    return found


def are_kept_apart(database: Database) -> bool:
    """Whether the database refuses an e-mail address that another active customer has: it has a unique key of theirs or ours."""
    schema = database.schema

    def kept_apart(connection: Connection) -> bool:
        ours = COLUMN in schema.customer_table.c or name_is_taken(
            connection, schema.customer_table, index_name(connection, schema)
        )
        return ours or bool(unique_keys(connection, schema))

    return ask(database, kept_apart)


def may_lose_email(schema: Schema) -> bool:
    """Whether a customer may be without an e-mail address here."""
    return any(field.key == "email" and not field.required for field in schema.form_fields)
