"""Reading customers: the active, the deleted, one of them, and one's history."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Request, Response

from data import queries
from data.access import Permission
from data.database import Database, snapshot
from data.demo import attached
from data.errors import CustomerNotFound, InvalidInput
from data.queries.paging import read_cursor, write_cursor
from data.records import Customer, CustomerId, Page
from web.admitting import new_router, route
from web.failing import as_json
from web.shapes import BecauseOf, Customers, History, Limit, OneCustomer, Sought, Words, show_customer, show_event

router = new_router("customers")

Search = Annotated[Sought, Query(description="An id, the beginning of an e-mail address, or a part of a name.")]
After = Annotated[str | None, Query(description="`next` of the page before.")]
Rows = Annotated[Limit, Query(description="How many, 1 to 200.")]
Id = Annotated[Words, Query(alias="id", description="The customer, where a path cannot name the id.")]


@route(router, "GET", "/staff/customers", Permission.READ_CUSTOMERS, answers=Customers | OneCustomer, errors=(404,))
def list_customers(
    request: Request, search: Search = None, after: After = None, limit: Rows = 50, key: Id = None
) -> Response:
    """The active customers in id order, a page at a time; or with `id` that one, active or deleted, and nothing else is looked at."""
    if key is not None:
        return _show_one(key)
    database = attached()
    with snapshot(database) as moment:
        page = queries.list_customers(moment.connection, database.schema, search=search or "", limit=limit, after=after)
    return _show_page(page)


@route(router, "GET", "/staff/customers/deleted", Permission.READ_CUSTOMERS, answers=Customers)
def list_deleted_customers(
    request: Request, search: Search = None, reason: BecauseOf = None, after: After = None, limit: Rows = 50
) -> Response:
    """The deleted customers, the last deleted first, a page at a time."""
    database = attached()
    with snapshot(database) as moment:
        page = queries.list_customers(
            moment.connection,
            database.schema,
            deleted=True,
            search=search or "",
            reason=reason or "",
            sort="deleted_at",
            descending=True,
            limit=limit,
            after=after,
        )
    return _show_page(page)


def _show_page(page: Page[Customer]) -> Response:
    return as_json({"items": [show_customer(customer) for customer in page.items], "next": page.next})


@route(router, "GET", "/staff/customers/history", Permission.READ_CUSTOMERS, answers=History, errors=(404,))
def get_history_by_id(
    request: Request, key: Annotated[Words, Query(alias="id")], after: After = None, limit: Rows = 50
) -> Response:
    """Every event of the customer with this `id`, newest first; for ids that a path cannot name."""
    return _show_history(key or "", after, limit)


@route(
    router,
    "GET",
    "/staff/customers/{customer_id:customer}",
    Permission.READ_CUSTOMERS,
    answers=OneCustomer,
    errors=(404,),
)
def get_customer(request: Request, customer_id: str) -> Response:
    """One customer, active or deleted."""
    return _show_one(customer_id)


@route(
    router,
    "GET",
    "/staff/customers/{customer_id}/history",
    Permission.READ_CUSTOMERS,
    answers=History,
    errors=(404,),
)
def get_history(request: Request, customer_id: str, after: After = None, limit: Rows = 50) -> Response:
    """Every event of a customer, newest first."""
    return _show_history(customer_id, after, limit)


def _show_one(customer_id: str) -> Response:
    database = attached()
    with snapshot(database) as moment:
        customer = queries.get_customer(moment.connection, database.schema, customer_id)
    if customer is None:
        raise CustomerNotFound(customer_id)
    return as_json(show_customer(customer))


def _show_history(customer_id: str, after: str | None, limit: int) -> Response:
    before = None if after is None else _read_event_cursor(after)
    database = attached()
    with snapshot(database) as moment:
        key = _known(database, queries.get_customer(moment.connection, database.schema, customer_id), customer_id)
        events = queries.list_events(
            moment.connection, database.schema, customer_id=key, before_id=before, limit=limit + 1
        )
    shown, more = events[:limit], len(events) > limit
    last = write_cursor("history", shown[-1].id, shown[-1].id) if more else None
    return as_json({"items": [show_event(event) for event in shown], "next": last})


def _known(database: Database, customer: Customer | None, asked: str) -> CustomerId:
    if customer is None:
        raise CustomerNotFound(asked)
    return customer.id


def _read_event_cursor(after: str) -> int:
    value, number = read_cursor(after, lambda raw: raw if type(raw) is int and abs(raw) < 2**63 else None, "history")
    if value != number or not isinstance(number, int):
        raise InvalidInput("This page address cannot be read. Start again from the first page.", field="after")
    return number
