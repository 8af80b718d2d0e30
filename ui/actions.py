"""What the pages' buttons do: call data, forget what was read, and tell what happened."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

import streamlit as st

from data import approvals, customers, queries
from data import database as databases
from data.database import snapshot
from data.errors import EvenbooksError
from data.records import CustomerId, Outcome, Time
from ui import text
from ui.door import current_actor
from ui.keeping import forget_reads
from ui.shell import flash, viewer_zone
from ui.text import count, typed
from ui.trouble import tell
from ui.waiting import already_asked


def delete(ids: Sequence[CustomerId], *, reason: str, note: str = "") -> None:
    """Deletes these customers, or asks for it where that needs approval, and tells it. Raises EvenbooksError, for the
    dialog to show."""
    begun = datetime.now(UTC).replace(microsecond=0)
    _tell_deleted(
        customers.delete_many(databases.default(), ids, actor=current_actor(), reason=reason, note=note), begun
    )


def _tell_deleted(outcomes: Sequence[Outcome], begun: datetime) -> None:
    """What was deleted, or asked for, since `begun`."""
    asked = [o.request_id for o in outcomes if o.request_id is not None]
    done = [o for o in outcomes if o.changed]
    rest = [o for o in outcomes if not o.changed]
    forget_reads()
    new_version()
    if asked:
        _tell_asked(asked[0], begun)
    elif done:
        undo = partial(restore, {o.customer.id: o.customer.deleted_at for o in done}, reason="undo")
        before = f" {_already_deleted(rest)}" if rest else ""
        flash(f"{_who(done)} deleted. {_kept(done)}{before}", undo=undo)
    else:
        flash(f"{_already_deleted(outcomes)} Nothing changed.", worked=False)


def restore(
    seen: Mapping[CustomerId, Time | None], *, reason: str = "restored", without_email: Collection[CustomerId] = ()
) -> None:
    """Restores these customers and tells it, also when it did not work: for callbacks.

    `seen` has each one's deleted_at as it was shown, so that no later deletion is taken back; None where none was shown.
    """
    try:
        outcomes = customers.restore_many(
            databases.default(),
            list(seen),
            actor=current_actor(),
            reason=reason,
            expected=seen,
            without_email=without_email,
        )
    except EvenbooksError as error:
        flash(tell(error), worked=False)
        return
    finally:
        forget_reads()
        new_version()
    done = [o for o in outcomes if o.changed]
    rest = [o for o in outcomes if not o.changed]
    undo = None
    words = []
    if done:
        orders = sum(o.orders for o in done)
        always = f"All {count(orders, 'order')} were always there." if orders > 1 else "No order was ever gone."
        words.append(f"{_who(done)} back in the customer list. {always}")
        without = [o for o in done if o.customer.id in without_email]
        if without:
            words.append(_without_email(without))
        else:
            undo = partial(_delete_again, [o.customer.id for o in done], seen)
    if rest:
        words.append(f"{_who(rest)} not deleted any more. Nothing changed there.")
    flash(" ".join(words), worked=bool(done), undo=undo)


def _delete_again(ids: Sequence[CustomerId], seen: Mapping[CustomerId, Time | None]) -> None:
    """Takes a restore back: deletes each for the reason of the deletion that it took back, where that was ours."""
    database, begun = databases.default(), datetime.now(UTC).replace(microsecond=0)
    outcomes: list[Outcome] = []
    try:
        with snapshot(database) as moment:
            events = queries.list_deletions(moment.connection, database.schema, ids)
        reasons: dict[tuple[str, str], list[CustomerId]] = {}
        for one in ids:
            event = events.get(one)
            ours = event is not None and event.at == seen.get(one)
            why = (event.reason or "undo", event.note or "") if event and ours else ("undo", "")
            reasons.setdefault(why, []).append(one)
        for (reason, note), several in reasons.items():
            outcomes += customers.delete_many(database, several, actor=current_actor(), reason=reason, note=note)
    except EvenbooksError as error:
        done = f"{_who([o for o in outcomes if o.changed])} deleted. " if any(o.changed for o in outcomes) else ""
        forget_reads()
        new_version()
        flash(f"{done}{tell(error)}", worked=False)
        return
    _tell_deleted(outcomes, begun)


def new_version() -> None:
    """After a write the tables get new keys, so that no selection of rows outlives its rows."""
    st.session_state.version = version() + 1


def version() -> int:
    """The part of every table's key that changes with each write."""
    return int(st.session_state.get("version", 0))


def _tell_asked(request_id: int, begun: datetime) -> None:
    """That a deletion waits for somebody's approval, and until when; or that it did before."""
    database = databases.default()
    request = approvals.get(database, request_id)
    if request.requested_at < begun:
        flash(already_asked(database, request, current_actor(), viewer_zone()), worked=False)
        return
    until = text.since(request.expires_at, viewer_zone(), datetime.now(UTC))
    flash(f"Asked for. Somebody else approves or rejects it under Approvals; it expires {until}.")


def _without_email(outcomes: Sequence[Outcome]) -> str:
    if len(outcomes) == 1:
        return f"{typed(outcomes[0].customer.name)} has no e-mail address any more, for somebody else has it."
    names = ", ".join(typed(o.customer.name) for o in outcomes)
    return f"{names} have no e-mail address any more, for others have them."


def _who(outcomes: Sequence[Outcome]) -> str:
    if len(outcomes) == 1:
        return f"{typed(outcomes[0].customer.name)} is"
    return f"{count(len(outcomes), 'customer')} are"


def _kept(outcomes: Sequence[Outcome]) -> str:
    orders = sum(o.orders for o in outcomes)
    if not orders:
        return "There were no orders, so no total is concerned."
    worth = text.money(text.add_revenue(o.revenue for o in outcomes), databases.default().settings.money.decimals)
    return f"{count(orders, 'order')} ({typed(worth)}) still {'counts' if orders == 1 else 'count'}."


def _already_deleted(outcomes: Sequence[Outcome]) -> str:
    """By whom and when it had been done before: the second of two clicks learns of the first."""
    if len(outcomes) > 1:
        return f"{count(len(outcomes), 'customer')} were already deleted."
    customer, database = outcomes[0].customer, databases.default()
    with snapshot(database) as moment:
        event = queries.list_deletions(moment.connection, database.schema, [customer.id]).get(customer.id)
    when = text.since(customer.deleted_at, viewer_zone(), datetime.now(UTC))
    ours = event is not None and event.at == customer.deleted_at
    why = database.settings.reason_labels.get(event.reason or "", event.reason) if event else None
    by = f" by {typed(event.actor)} ({typed(why)})" if event and ours else ""
    return f"{typed(customer.name)} was already deleted {when}{by}."
