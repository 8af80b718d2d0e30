"""What the History page shows: the events in words, one customer's life, one event's evidence, the chain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pandas as pd
import streamlit as st

from data import database as databases
from data import history, integrity, queries
from data.access import Permission
from data.database import Snapshot, snapshot
from data.history import Evidence
from data.queries import EventFilter
from data.records import Customer, CustomerId, Event, Page, Time
from ui import tables, text
from ui.keeping import kept
from ui.lists import HEIGHT, ROWS, go_to, page_of_address, select_items
from ui.shell import Here
from ui.text import count, shown_name, typed
from ui.told import tell

EVIDENCE = 460  # pixels, beside the table
MANY = 10_000  # events, from which on it is said that a filter reads them one by one


@dataclass(frozen=True)
class Walk:
    """The last time that the whole chain was walked: when, whether it was whole (None: could not see), what was found, and
    up to which event."""

    at: Time
    ok: bool | None
    detail: str
    event_id: int


@dataclass(frozen=True)
class Screen:
    """Everything on the page, from one snapshot: the events with their bodies, the customers on it and who of them is
    erased, and the chain's head: its event's number, its hash, and whether it is that event's."""

    page: Page[Event]
    bodies: Mapping[int, str]
    customers: Mapping[CustomerId, Customer]
    erased: set[CustomerId]
    events: int
    hash: str
    fits: bool


def read_screen(moment: Snapshot, here: Here, where: EventFilter) -> Screen:
    """The page that the address names; one that cannot be read, or has nothing left on it, becomes the first."""
    connection, schema = moment.connection, here.database.schema
    page = _read_page(moment, here, where)
    ids = [event.customer_id for event in page.items if event.customer_id is not None]
    ids = list(dict.fromkeys([*ids, *([where.customer_id] if where.customer_id is not None else [])]))
    head = queries.get_head(connection, schema)
    last = head.event_id if head else 0
    return Screen(
        page=page,
        bodies=queries.list_bodies(connection, schema, [event.id for event in page.items]),
        customers=queries.get_customers(connection, schema, ids) if ids else {},
        erased=queries.erased_ids(connection, schema, ids) if ids else set(),
        events=last,
        hash=head.hash if head else "",
        fits=head is not None and queries.event_hash(connection, schema, last) == head.hash,
    )


def _read_page(moment: Snapshot, here: Here, where: EventFilter) -> Page[Event]:
    return page_of_address(partial(history.list_page, moment.connection, here.database.schema, where, limit=ROWS))


def show_chain(screen: Screen, here: Here, *, narrowed: bool) -> None:
    """How many events there are, where the chain ends, and when it was last walked whole; what is broken is red."""
    walk = last_walk(here.database.settings.database_url)
    if not screen.fits:
        st.error(
            "The chain's head does not point to the last event. Check now on Financial Integrity says more.",
            icon=":material/link_off:",
        )
    if walk and walk.ok is False:
        when = text.since(walk.at, here.zone, datetime.now(UTC))
        st.error(
            f"The chain was broken when it was last walked, {when}: {typed(walk.detail)}", icon=":material/link_off:"
        )
    total = f"{count(screen.events, 'event')}, each hashed over the one before."
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f"{total if narrowed else ''} {_walked(walk, screen, here)}".strip(), width="content")
        if here.actor.may(Permission.READ_INTEGRITY):
            st.page_link("pages/integrity.py", label="Financial Integrity", icon=":material/verified:", width="content")


def _walked(walk: Walk | None, screen: Screen, here: Here) -> str:
    head = f"The last hash begins with {screen.hash[:12]}."
    if walk is None:
        return f"{head} Nobody has walked the chain yet."
    when = text.since(walk.at, here.zone, datetime.now(UTC))
    if walk.ok is None:
        return f"{head} When it was last walked, {when}, it could not be seen whole."
    since = max(0, screen.events - walk.event_id)
    return head if not walk.ok else f"{head} Walked whole {when}; {count(since, 'event')} since."


@kept()
def last_walk(url: str) -> Walk | None:
    """What the last kept check said of the chain, kept for a minute; `url` keeps databases apart."""
    database = databases.default()
    with snapshot(database) as moment:
        report = integrity.read_kept(queries.last_check(moment.connection, database.schema))
    check = next((check for check in report.checks if check.name == "chain"), None) if report else None
    if report is None or check is None:
        return None
    return Walk(report.snapshot_at, check.ok, check.detail, report.head.event_id if report.head else 0)


def show_life(moment: Snapshot, screen: Screen, customer_id: CustomerId, here: Here) -> None:
    """Who the customer is, whether deleted, what the orders are worth, and the way back to the list."""
    customer = screen.customers.get(customer_id)
    with st.container(horizontal=True, vertical_alignment="center", key="life"):
        if customer is None:
            st.write(f"There is no customer {typed(customer_id)} now. What is known stands here.")
        else:
            impact = queries.impact(moment.connection, here.database.schema, [customer.id])[customer.id]
            worth = typed(text.money(impact.revenue, here.database.settings.money.decimals))
            state = _state(customer, customer.id in screen.erased, here)
            kept = f"{count(impact.orders, 'order')} ({worth}) in every report" if impact.orders else "no orders"
            st.write(
                f"**{typed(shown_name(customer, screen.erased))}**, customer {typed(customer.id)}, {state}: {kept}."
            )
        st.space("stretch")
        st.button("Every customer's events", key="everyone", on_click=go_to, kwargs={"customer": None})
        if customer is not None:
            gone = customer.deleted_at is not None
            st.page_link(
                f"pages/{'deleted_customers' if gone else 'customers'}.py",
                label="In Deleted Customers" if gone else "In Customer Management",
                icon=":material/person_off:" if gone else ":material/group:",
                query_params={"search": f"#{customer.id}" if here.database.schema.has_integer_id else str(customer.id)},
                width="content",
            )


def _state(customer: Customer, erased: bool, here: Here) -> str:
    if erased:
        return "erased for good"
    if customer.deleted_at is None:
        return "active"
    return f"deleted {text.since(customer.deleted_at, here.zone, datetime.now(UTC))}"


def events_table(screen: Screen, here: Here, *, one: bool) -> Event | None:
    """The events in words, newest first; answers the selected one. Of `one` customer the name is not repeated."""
    events, labels = screen.page.items, here.database.settings.reason_labels
    said = [tell(event, history.read_body(screen.bodies.get(event.id, "")), labels) for event in events]
    frame = pd.DataFrame(
        {
            "at": tables.times([event.at for event in events], here.zone),
            "customer": [_customer(event, screen) for event in events],
            "what": said,
            "id": [event.id for event in events],
        }
    )
    config: dict[str, Any] = {
        "at": tables.time_column("When"),
        "customer": st.column_config.TextColumn("Customer", width=190),
        "what": st.column_config.TextColumn("What happened", width=570),
        "id": st.column_config.NumberColumn("Event", format="%d", width="small"),
    }
    if one:
        frame = frame.drop(columns="customer")
    key = f"events-{hash(tuple(event.id for event in events))}"
    alt = f"{len(events)} events, newest first; select one to see its evidence"
    return next(iter(select_items(frame, events, key=key, config=config, alt=alt, one=True)), None)


def _customer(event: Event, screen: Screen) -> str:
    """Name and number; the number alone where there is no such customer any more."""
    if event.customer_id is None:
        return ""
    customer = screen.customers.get(event.customer_id)
    name = shown_name(customer, screen.erased) if customer else ""
    return name if event.customer_id in screen.erased else f"{name} (#{event.customer_id})".strip()


def pager(screen: Screen, where: EventFilter, *, narrowed: bool) -> None:
    """Previous and Next, by the events' numbers; and a word where no index served."""
    page: Page[Event] = screen.page
    for label, key, cursor, icon in (
        ("Previous", "previous", {"before": page.previous}, "chevron_left"),
        ("Next", "next", {"after": page.next}, "chevron_right"),
    ):
        st.button(
            label,
            key=key,
            icon=f":material/{icon}:",
            icon_position="right" if key == "next" else "left",
            disabled=not any(cursor.values()),
            on_click=go_to,
            kwargs=cursor,
        )
    shown = count(len(page.items), "event") if narrowed else f"{len(page.items)} of {screen.events:,}"
    scanned = where.scans and screen.events > MANY
    words = f"{shown}; no index serves this filter, so events were read until the page was full" if scanned else shown
    st.caption(words, width="content")


def show_ways(event: Event | None, where: EventFilter) -> None:
    """From the selected event to its customer's life, and to what was done together with it."""
    if event and event.customer_id is not None and event.customer_id != where.customer_id:
        ways = {"customer": str(event.customer_id)}
        st.button("This customer's events", key="life_of", icon=":material/person:", on_click=go_to, kwargs=ways)
    if event and event.batch_id and event.batch_id != where.batch_id:
        ways = {"batch": event.batch_id}
        st.button("Done together", key="batch_of", icon=":material/list:", on_click=go_to, kwargs=ways)


def show_evidence(found: Evidence) -> None:
    """One event as it is stored: what is hashed, the hash before, its own, and that it recomputes."""
    with st.container(border=True, width=EVIDENCE, height=HEIGHT, gap="xsmall", key="evidence"):
        st.markdown(f":material/fingerprint: **Event {found.id} as it is stored**")
        if found.problems:
            st.error(typed(" ".join(found.problems)), icon=":material/link_off:")
        else:
            st.markdown(":green[:material/check_circle:] The hash is that of the one before and this content.")
        st.caption("Content, as it is hashed")
        st.code(found.body, language=None, wrap_lines=True)
        st.caption("The hash before")
        st.code(found.prev, language=None, wrap_lines=True)
        st.caption("SHA-256 of the hash before and the content")
        st.code(found.hash, language=None, wrap_lines=True)
