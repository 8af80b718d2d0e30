"""Who has an e-mail address, whatever its case."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, true

from data.queries.searching import comparable, spellings
from data.records import Customer, CustomerId
from data.schema import Schema, is_active


def find_by_email(
    connection: Connection, schema: Schema, email: str, *, other_than: CustomerId | None = None
) -> Customer | None:
    """The customer with this e-mail address, whatever its case: an active one, else the last deleted one."""
    if "email" not in schema.present:
        return None
    statement = _having_email(schema, email.isascii(), other_than is not None)
    asked = {"spellings": _addresses(schema, email), **({} if other_than is None else {"other_than": other_than})}
    row = connection.execute(statement, asked).first()
    return Customer(*row) if row else None


@lru_cache(maxsize=16)
def _having_email(schema: Schema, plain: bool, others: bool) -> Select[Any]:
    """Built once; `plain` where the address is ASCII alone."""
    customers = schema.customers
    but = customers.c.id != bindparam("other_than") if others else true()
    return (
        select(*customers.labelled)
        .where(_address(schema, plain).in_(bindparam("spellings", expanding=True)), but)
        .order_by(is_active(customers).desc(), customers.c.deleted_at.desc(), customers.c.id)
        .limit(1)
    )


def find_sharing(connection: Connection, schema: Schema, customers: Sequence[Customer]) -> dict[CustomerId, Customer]:
    """Of these deleted customers those whose e-mail address an active customer has by now, by id, with that customer."""
    having = [customer for customer in customers if customer.email] if "email" in schema.present else []
    addresses = sorted({form for one in having for form in _addresses(schema, one.email or "")})
    if not addresses:
        return {}
    plain = all(address.isascii() for address in addresses)
    statement = (
        select(*schema.customers.labelled)
        .where(_address(schema, plain).in_(addresses), is_active(schema.customers))
        .order_by(schema.customers.c.id)
    )
    active: dict[str, list[Customer]] = {}
    for row in connection.execute(statement):
        active.setdefault(str(row.email).casefold(), []).append(Customer(*row))
    found = {one.id: _other(connection, schema, one, active) for one in having if active}
    return {key: other for key, other in found.items() if other}


def _other(
    connection: Connection, schema: Schema, customer: Customer, active: Mapping[str, Sequence[Customer]]
) -> Customer | None:
    """Somebody else with this one's address. Where none is alike by Python's rules, one may still be by the database's."""
    email = customer.email or ""
    alike = next((one for one in active.get(email.casefold(), ()) if one.id != customer.id), None)
    if alike or (schema.dialect != "mysql" and email.isascii()):
        return alike
    other = find_by_email(connection, schema, email, other_than=customer.id)
    return other if other and other.deleted_at is None else None


def _address(schema: Schema, plain: bool) -> Any:
    column = comparable(schema, schema.customers.c.email, plain)
    return column if schema.dialect == "mysql" else func.lower(column)


def _addresses(schema: Schema, email: str) -> list[str]:
    """The address as `_address` may answer it."""
    return [email] if schema.dialect == "mysql" else [_ascii_lower(form) for form in spellings(schema, email)]


def _ascii_lower(words: str) -> str:
    """What lower() makes of it where it knows ASCII alone; `spellings` has what it makes elsewhere."""
    return "".join(c.lower() if c.isascii() else c for c in words)
