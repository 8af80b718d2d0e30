"""The JSON that goes in and out: bodies that are read, answers as the OpenAPI document tells them."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, StrictInt, StrictStr

from data.events import stamp
from data.money import plain
from data.records import Customer, Event, Outcome, Request
from data.schema import is_text

MOST_AT_ONCE = 200


def _sound(words: str | None) -> str | None:
    if words is not None and not is_text(words):
        raise ValueError("contains a character that no database can hold")
    return words


def _whole(value: object) -> object:
    """A number as people write it; `1_0` and ` 10 ` are none."""
    if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
        raise ValueError("is not a whole number")
    return value


Words = Annotated[str | None, AfterValidator(_sound)]
# Counted as text: where null is possible too, pydantic would speak of items.
Sought = Annotated[str, Field(max_length=200), AfterValidator(_sound)] | None
Limit = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=200)]
Month = Annotated[str | None, Field(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])$")]
BecauseOf = Annotated[
    str | None,
    Field(
        pattern=r"^([a-z][a-z0-9_-]{0,39}|-)$",
        description="Only those whose deletion has this reason's code; `-`: those whom no deletion of ours explains.",
    ),
]
Stamp = Annotated[
    str | None, Field(description="ISO 8601 in UTC, with Z; as it is stored, where that cannot be read as a time.")
]
Amount = Annotated[str, Field(description="Exact, as text.", examples=["4310.50"])]
Key = StrictInt | StrictStr


class Body(BaseModel):
    """What a client sends: unknown keys are refused."""

    model_config = ConfigDict(extra="forbid")


class Why(Body):
    """Why: a code of the company's list, or free text, which becomes the note under the code `other`."""

    reason: Words = None
    note: Words = None


class WhyMany(Why):
    """Whom, and why."""

    ids: Annotated[list[Key], Field(min_length=1, max_length=MOST_AT_ONCE)] | None = None


class NewCustomer(BaseModel):
    """The fields of Add New Customer; a shop with several name columns has `name1`, `name2` beside `name`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Words] = Field(init=False)

    name: Words = None
    email: Words = None
    phone: Words = None
    reason: Words = None


class Answer(BaseModel):
    """What the server sends: these keys and no others."""

    model_config = ConfigDict(extra="forbid")


class Failure(Answer):
    """A word for programs and a sentence for people."""

    code: str
    message: str


class Failed(Answer):
    """Every error of this API."""

    error: Failure


class OneCustomer(Answer):
    """A customer, active (`deleted_at` is null) or deleted."""

    id: int | str
    name: str | None
    email: str | None
    phone: str | None
    created_at: Stamp
    deleted_at: Stamp


class Changed(OneCustomer):
    """A customer after a change. `changed` is false where it had been done already; then nothing was written, and
    `event_id` is that of the earlier change (null where there was none). The orders and the revenue stay in the reports."""

    changed: bool
    orders: int
    revenue: dict[str, Amount]
    event_id: int | None


class Restored(Changed):
    """The same of a restore; `warning` where another active customer has the e-mail address by now."""

    warning: str | None = None


class Waiting(Answer):
    """A deletion that waits for somebody's approval (202): nothing is changed yet. Asked again, the request is the same."""

    request_id: int
    state: str
    expires_at: Stamp
    customer: OneCustomer


class NotRestored(Answer):
    """One of many that was not restored, and why."""

    id: int | str
    error: Failure


class RestoredMany(Answer):
    """A result for each id, in their order; `changed` counts those that were restored now."""

    items: list[Restored | NotRestored]
    changed: int


class Customers(Answer):
    """A page of customers. `next` is passed back as `after`; null on the last page."""

    items: list[OneCustomer]
    next: str | None


class HistoryItem(Answer):
    """One event of a customer's life."""

    id: int
    at: Stamp
    action: str
    actor: str
    door: str
    reason: str | None
    note: str | None
    customer_id: int | str | None
    batch_id: str | None


class History(Answer):
    """A page of a customer's events, newest first. `next` is passed back as `after`; null on the last page."""

    items: list[HistoryItem]
    next: str | None


class OneRequest(Answer):
    """A request for approval. `state`: waiting, approved, rejected, expired, withdrawn. `note` is of whoever asked,
    `decision_note` of whoever decided. Of a job `customer_id` is null."""

    request_id: int
    kind: str
    state: str
    customer_id: int | str | None
    job_id: str | None
    actor: str
    door: str
    reason: str
    note: str | None
    requested_at: Stamp
    expires_at: Stamp
    decided_at: Stamp
    decided_by: str | None
    decision_note: str | None


class Requests(Answer):
    """A page of requests, newest first. `next` is passed back as `after`; null on the last page."""

    items: list[OneRequest]
    next: str | None


class Total(Answer):
    """Revenue of one currency, split: active + deleted + no_customer + missing_customer = total."""

    currency: str
    orders: int
    active: Amount
    deleted: Amount
    no_customer: Amount
    missing_customer: Amount
    total: Amount


class MonthOf(Total):
    """The same of one month; null: orders without a date."""

    month: str | None


class Revenue(Answer):
    """Revenue by month and in all, from one snapshot. What `derived` names is what the other parts leave of the total."""

    snapshot_at: str
    derived: list[str]
    months: list[MonthOf]
    totals: list[Total]


class OneCheck(Answer):
    """One question that was asked; `ok` null: it could not be seen."""

    name: str
    ok: bool | None
    level: str
    count: int
    detail: str
    examples: list[str]


class Integrity(Answer):
    """A whole run of the check; each figure is counted on its own. `even`: no check of level error is red;
    null: none is, but the sums could not be seen."""

    even: bool | None
    snapshot_at: str
    unseen: int
    checks: list[OneCheck]
    months: list[MonthOf]
    totals: list[Total]


def show_customer(customer: Customer) -> dict[str, Any]:
    """A customer's six keys."""
    return {
        "id": customer.id,
        "name": customer.name,
        "email": customer.email,
        "phone": customer.phone,
        "created_at": stamp(customer.created_at),
        "deleted_at": stamp(customer.deleted_at),
    }


def show_outcome(outcome: Outcome, decimals: int) -> dict[str, Any]:
    """What a delete or a restore did."""
    return {
        **show_customer(outcome.customer),
        "changed": outcome.changed,
        "orders": outcome.orders,
        "revenue": {currency: plain(amount, decimals) for currency, amount in outcome.revenue.items()},
        "event_id": outcome.event_id,
    }


def show_waiting(outcome: Outcome, request: Request) -> dict[str, Any]:
    """What a delete answers that waits for approval."""
    return {
        "request_id": request.id,
        "state": request.state,
        "expires_at": stamp(request.expires_at),
        "customer": show_customer(outcome.customer),
    }


def show_request(request: Request, note: str | None, decision_note: str | None) -> dict[str, Any]:
    """A request for approval."""
    names = ("kind", "state", "customer_id", "job_id", "actor", "door", "reason", "decided_by")
    times = ("requested_at", "expires_at", "decided_at")
    return {
        "request_id": request.id,
        **{name: getattr(request, name) for name in names},
        **{name: stamp(getattr(request, name)) for name in times},
        "note": note,
        "decision_note": decision_note,
    }


def show_event(event: Event) -> dict[str, Any]:
    """A history item."""
    names = ("action", "actor", "door", "reason", "note", "customer_id", "batch_id")
    return {"id": event.id, "at": stamp(event.at), **{name: getattr(event, name) for name in names}}
