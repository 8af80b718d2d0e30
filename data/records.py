"""The rows that the rest of the program passes around: frozen, money as Decimal, times in UTC."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

from data import money

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from data.access import Actor

CustomerId = int | str
# What the database holds that cannot be read as a time (a zero date, "03/02/2024") comes back as its text.
Time = datetime | str
# Amounts by currency (ISO 4217; XXX where an order names none).
Revenue = Mapping[str, Decimal]
T = TypeVar("T")


@dataclass(frozen=True)
class Customer:
    """One customer, active (`deleted_at` is None) or deleted; and the guide's methods."""

    id: CustomerId
    name: str | None
    email: str | None = None
    phone: str | None = None
    created_at: Time | None = None
    deleted_at: Time | None = None

    # The actions live in data/customers.py, which builds on this row: hence the imports inside.

    @staticmethod
    def soft_delete(
        customer_id: CustomerId,
        *,
        actor: Actor | None = None,
        reason: str | None = None,
        connection: Connection | None = None,
    ) -> Outcome:
        """Deletes the customer softly; see `data.customers.soft_delete`."""
        from data import customers

        return customers.soft_delete(customer_id, actor=actor, reason=reason, connection=connection)

    @staticmethod
    def restore(
        customer_id: CustomerId,
        *,
        actor: Actor | None = None,
        reason: str | None = None,
        connection: Connection | None = None,
    ) -> Outcome:
        """Restores the customer; see `data.customers.restore`."""
        from data import customers

        return customers.restore(customer_id, actor=actor, reason=reason, connection=connection)

    @staticmethod
    def get_all_active(*, connection: Connection | None = None) -> Iterator[Customer]:
        """Every active customer in id order, read in pages; see `data.customers.get_all_active`."""
        from data import customers

        return customers.get_all_active(connection=connection)

    @staticmethod
    def get_by_id_active(customer_id: CustomerId, *, connection: Connection | None = None) -> Customer | None:
        """The active customer with this id, or None where absent or deleted."""
        from data import customers

        return customers.get_by_id_active(customer_id, connection=connection)


@dataclass(frozen=True)
class Impact:
    """What one customer's orders amount to.

    `orders` and `revenue` count what the reports count; `all_orders` every order whatever its status, the last
    of them (the greatest id) being `last_order`, where orders are numbered. `months` has every order and those that
    count, with their revenue, by month as the engine says it and currency; None where that was not asked for.
    """

    orders: int = 0
    all_orders: int = 0
    revenue: Revenue = field(default_factory=dict)
    last_order: int | None = None
    months: Mapping[tuple[str, str], tuple[int, int, Decimal]] | None = None

    @property
    def open_orders(self) -> int:
        """Orders that no report counts as revenue yet: none where every order counts."""
        return self.all_orders - self.orders


@dataclass(frozen=True)
class Outcome:
    """What a delete or a restore did. `changed` is False where it had been done already.

    `request_id` where nothing was done yet, because a deletion waits for somebody's approval: the request's number,
    which is its event's too.
    """

    changed: bool
    customer: Customer
    orders: int
    revenue: Revenue
    event_id: int | None
    request_id: int | None = None


@dataclass(frozen=True)
class Event:
    """One entry of the chain."""

    id: int
    at: Time
    action: str
    actor: str
    door: str
    reason: str | None
    note: str | None
    customer_id: CustomerId | None
    batch_id: str | None


@dataclass(frozen=True)
class MonthOrder:
    """An order with its customer's name and state: active, deleted, no_customer or missing_customer.

    `counted` says whether the reports count it as revenue; `status` is None where orders carry none.
    """

    id: int | str
    ordered_at: Time | None
    customer_id: CustomerId | None
    customer_name: str | None
    state: str
    status: str | None
    total: Decimal
    counted: bool


@dataclass(frozen=True)
class Page(Generic[T]):
    """A page of a list. The cursors are opaque; `scanned` says that no index served this search or order."""

    items: list[T]
    previous: str | None
    next: str | None
    scanned: bool


@dataclass(frozen=True)
class Figures:
    """Orders counted and their amounts added, of one month and currency (month None: no date)."""

    month: str | None
    currency: str
    orders: int
    total: Decimal
    cost: Decimal = Decimal(0)


@dataclass(frozen=True)
class MonthlyRevenue:
    """One month and currency with its parts: active + deleted + no_customer + missing_customer = total."""

    month: str | None
    currency: str
    orders: int
    active: Decimal
    deleted: Decimal
    no_customer: Decimal
    missing_customer: Decimal
    total: Decimal
    deleted_orders: int = 0
    cost: Decimal = Decimal(0)

    @property
    def profit(self) -> Decimal:
        """Total less cost; the total itself where orders carry no cost."""
        return money.add([self.total, -self.cost])

    @property
    def difference(self) -> Decimal:
        """Total less its parts: zero where the month is even."""
        return money.add([self.total, -self.active, -self.deleted, -self.no_customer, -self.missing_customer])


@dataclass(frozen=True)
class Token:
    """One of the API's tokens, without its secret; times in UTC, None where it never expires, was never used or revoked."""

    id: str
    name: str
    role: str
    owner: str
    made_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True)
class Seal:
    """A sealed month and currency, as the events and evenbooks_seals keep it.

    `orders` and `total` count what the reports count, `all_orders` every order whatever its status. `checksum` is
    over each order's id, customer, date, amount, and whether it counts; `mapping` the settings' fingerprint.
    """

    month: str
    currency: str
    orders: int
    all_orders: int
    total: Decimal
    checksum: str
    mapping: str
    event_id: int
    sealed_at: Time
    actor: str


@dataclass(frozen=True)
class Block:
    """Orders of one month and currency that are hashed together: how many, how many of them count as revenue, what
    those add up to, and SHA-256 (hex) over all of them. `label` says which they are."""

    label: str
    orders: int
    revenue_orders: int
    total: Decimal
    digest: str


JobKind = Literal["delete", "restore", "erase"]
# draft: frozen, not confirmed; waiting: for approval; refused: the approval was, or it expired; failed: it cannot go on.
JobState = Literal["draft", "waiting", "running", "stopped", "done", "refused", "failed"]
ItemResult = Literal["done", "already", "conflict", "not_found"]


@dataclass(frozen=True)
class Job:
    """Many customers to be deleted, restored or erased, as evenbooks_jobs keeps it; `id` is the events' batch_id.

    `done` counts the customers who have a result, `changed` those whom it changed. `preview` is what was frozen with the
    ids: {"orders": int, "open_orders": int, "revenue": {currency: "amount"}, "search": str | null}. `standing` (JSON) says by what the actor has
    the role. `error` is a sentence: why it stopped or failed. Times in UTC.
    """

    id: str
    kind: JobKind
    state: JobState
    actor: str
    role: str
    door: str
    standing: str | None
    reason: str
    note: str | None
    made_at: datetime
    ended_at: datetime | None
    total: int
    done: int
    changed: int
    preview: Mapping[str, Any]
    undo_of: str | None
    request_id: int | None
    owner: str | None
    lease_until: datetime | None
    error: str | None


@dataclass(frozen=True)
class JobItem:
    """One customer of a job, by number. `seen` is the deleted_at (its stamp) that was frozen; `result` None: not yet."""

    number: int
    customer_id: CustomerId
    seen: str | None
    result: ItemResult | None
    words: str | None
    event_id: int | None


RequestState = Literal["waiting", "approved", "rejected", "expired", "withdrawn"]


@dataclass(frozen=True)
class Request:
    """A request that waits for somebody's approval, or waited; `id` is that of its event. Times in UTC.

    About one customer, or about a job's. `owner` is whose token asked; `decision_id` the event that ended it. The notes
    are those of the events.
    """

    id: int
    kind: JobKind
    state: RequestState
    customer_id: CustomerId | None
    job_id: str | None
    actor: str
    owner: str | None
    role: str
    door: str
    reason: str
    requested_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    decision_id: int | None = None
