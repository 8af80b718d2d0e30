"""What ends a request: somebody approves, rejects or withdraws it, or its time is over."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection

from data import changes, events, queries, tokens
from data.access import Actor, Door, Permission, Role, names_in
from data.approvals.reading import is_number
from data.database import Database, in_transaction, now, snapshot
from data.errors import Conflict, EvenbooksError, InvalidInput, NotPermitted, RequestNotFound
from data.events import LONGEST_NOTE, Reason
from data.records import JobState, Request, RequestState
from data.requesting import CLOCK, Approved, ending, is_over, shared
from data.schema import Schema
from data.write_log import logged

ENDED_BY: dict[RequestState, str] = {
    "approved": "approve",
    "rejected": "reject",
    "withdrawn": "withdraw",
    "expired": "expire",
}


def approve(database: Database, request_id: int, *, actor: Actor, note: str | None = None) -> Request:
    """Approves a request and carries it out: one customer in the same transaction, a job by letting it run.

    Whether it can still be done is looked at in that transaction. Where it cannot (deleted meanwhile, gone, expired) the
    request ends, and Conflict says so. Raises RequestNotFound, NotPermitted (the role, not signed in, one's own),
    Conflict (decided already), InvalidInput (note), BooksMoved.
    """
    actor.require(Permission.APPROVE_REQUESTS)
    why = _read_note(note)

    def work(connection: Connection, request: Request, at: datetime) -> tuple[Request, str | None]:
        obstacle = _obstacle(connection, database.schema, request, at)
        if obstacle:
            return _end(connection, database.schema, request, "rejected", actor, at, obstacle), obstacle
        done = _end(connection, database.schema, request, "approved", actor, at, why)
        _carry_out(connection, database.schema, request, actor, at)
        return done, None

    return _decide(database, "approve", request_id, actor, _require_another, work)


def reject(database: Database, request_id: int, *, actor: Actor, note: str) -> Request:
    """Rejects a request, with a note that says why. Raises as `approve` does."""
    actor.require(Permission.APPROVE_REQUESTS)
    why = _read_note(note)
    if why is None:
        raise InvalidInput("Say in a note why it is rejected.", field="note")

    def work(connection: Connection, request: Request, at: datetime) -> tuple[Request, str | None]:
        return _end(connection, database.schema, request, "rejected", actor, at, why), None

    return _decide(database, "reject", request_id, actor, _require_another, work)


def withdraw(database: Database, request_id: int, *, actor: Actor) -> Request:
    """Takes a request back: whoever asked may, and whose token asked. Raises NotPermitted, RequestNotFound, Conflict."""

    def work(connection: Connection, request: Request, at: datetime) -> tuple[Request, str | None]:
        return _end(connection, database.schema, request, "withdrawn", actor, at), None

    return _decide(database, "withdraw", request_id, actor, _require_requester, work)


def expire_due(database: Database) -> int:
    """Ends the requests that nobody answered in time, with an event each; answers how many those were.

    Nothing is ever carried out by it. Where there is none it writes nothing. Raises DatabaseReadOnly.
    """
    schema, count = database.schema, 0

    def work(connection: Connection) -> int:
        head, at = events.take_turns(connection, schema), now()
        over = queries.list_overdue_requests(connection, schema, at=at)
        drafts = [ending("expire", request, CLOCK) for request in over]
        ids = events.append(connection, schema, drafts, head=head, at=at) if drafts else []
        for request, event_id in zip(over, ids, strict=True):
            _keep(connection, schema, request, "expired", CLOCK, at, event_id)
        return len(over)

    while _is_any_over(database):
        count += in_transaction(database, work)
    return count


def expire_quietly(database: Database) -> None:
    """The same before requests are shown, where it can be written; they are shown as they are in any case."""
    with suppress(EvenbooksError):
        expire_due(database)


def refusal(actor: Actor, request: Request, names: str) -> str | None:
    """Why this actor may not decide this request, as a sentence; None where they may. `names` as they are kept."""
    if not actor.may(Permission.APPROVE_REQUESTS):
        return actor.refusal(Permission.APPROVE_REQUESTS)
    if not actor.signed_in:
        return "Only a person who has signed in can approve or reject; a token, a command or an open machine cannot."
    if is_requester(actor, request):
        token = bool(names_in(request.owner) & actor.names)
        asked = "Your token asked for this" if token else "You asked for this yourself"
        return f"{asked}, so somebody else has to decide it."
    if shared(names, actor.names):
        return "Whoever asked for this has one of your names, so somebody else has to decide it."
    return None


def is_requester(actor: Actor, request: Request) -> bool:
    """Whether it is this actor who asked, or whose token did."""
    return bool(names_in(request.actor, request.owner) & actor.names)


def may_withdraw(actor: Actor, request: Request) -> bool:
    """Whether this actor asked, or owns the token that did: by what the provider vouches for, not by a display name."""
    itself, subject = names_in(actor.id), (actor.standing.claims or {}).get("sub")
    return bool(itself & names_in(request.actor) or (itself | names_in(subject)) & names_in(request.owner))


def _read_note(note: str | None) -> str | None:
    words = (note or "").strip() or None
    if words and len(words) > LONGEST_NOTE:
        raise InvalidInput(f"The note has {len(words)} characters; {LONGEST_NOTE} are allowed.", field="note")
    return words


def _is_any_over(database: Database) -> bool:
    with snapshot(database) as moment:
        return bool(queries.list_overdue_requests(moment.connection, database.schema, at=now(), limit=1))


Work = Callable[[Connection, Request, datetime], tuple[Request, str | None]]
Require = Callable[[Connection, Schema, Actor, Request], None]


def _decide(database: Database, action: str, request_id: int, actor: Actor, require: Require, work: Work) -> Request:
    """The decision in one transaction that holds the head; what became of the request is raised once it is written."""

    def decide(connection: Connection) -> tuple[Request, str | None]:
        events.take_turns(connection, database.schema)
        at = now()
        request = _waiting(connection, database.schema, request_id)
        require(connection, database.schema, actor, request)
        if is_over(request, at):
            ended = _end(connection, database.schema, request, "expired", CLOCK, at)
            return ended, f"Request {request.id} had expired: nobody answered it in time. It has to be asked for again."
        return work(connection, request, at)

    with logged(action, actor, None) as line:
        done, obstacle = in_transaction(database, decide)
        line.customer_id, line.event_id, line.outcome = done.id, done.decision_id, done.state
    if obstacle:
        raise Conflict(obstacle)
    return done


def _waiting(connection: Connection, schema: Schema, request_id: int) -> Request:
    """The request, while it waits. Raises RequestNotFound, and Conflict saying who was first."""
    request = queries.get_request(connection, schema, request_id) if is_number(request_id) else None
    if request is None:
        raise RequestNotFound(request_id)
    if request.state != "waiting":
        raise Conflict(f"Request {request.id} was {request.state} already, by {request.decided_by}. Nothing changed.")
    return request


def _require_another(connection: Connection, schema: Schema, actor: Actor, request: Request) -> None:
    words = refusal(actor, request, queries.get_request_names(connection, schema, [request.id])[request.id])
    if words:
        raise NotPermitted(words)


def _require_requester(_connection: Connection, _schema: Schema, actor: Actor, request: Request) -> None:
    if not may_withdraw(actor, request):
        raise NotPermitted("Only who asked can withdraw a request.")


def _obstacle(connection: Connection, schema: Schema, request: Request, at: datetime) -> str | None:
    """Why the request can no longer be carried out, as a sentence; None where it can."""
    if request.job_id is not None:
        waits = queries.is_job_waiting(connection, schema, request.job_id)
        return None if waits else "The job that was asked for does not wait any more, so the request has ended."
    customer = queries.get_customer(connection, schema, request.customer_id)
    if customer is None:
        return f"Customer {request.customer_id} is not there any more, so the request has ended. Nothing was deleted."
    if customer.deleted_at is not None:
        return f"Customer {request.customer_id} was deleted meanwhile, so the request has ended. Nothing changed."
    if request.door == Door.API and not _is_token_in_force(connection, schema, request, at):
        return (
            f"{request.actor}, which asked for this, is no longer in force, so the request has ended. Nothing changed."
        )
    return None


def _is_token_in_force(connection: Connection, schema: Schema, request: Request, at: datetime) -> bool:
    """Whether the token that asked still is: of those of its name one at a time is, and a later one did not ask."""
    named = queries.list_tokens(connection, schema, name=request.actor.removeprefix("token:"))
    return any(one.made_at <= request.requested_at and tokens.state_of(one, at) == "in force" for one in named)


def _carry_out(connection: Connection, schema: Schema, request: Request, actor: Actor, at: datetime) -> None:
    if request.job_id is not None:
        queries.move_waiting_job(connection, schema, request.job_id, state="running", at=at)
    elif request.customer_id is not None:
        # Its event is the requester's, who has to be allowed it by the role that the request was made with.
        requester = Actor(request.actor, Role(request.role), Door(request.door))
        note = queries.get_notes(connection, schema, [request.id]).get(request.id)
        why, approved = Reason(request.reason, note), Approved(request.id, actor.id)
        one = [request.customer_id]
        changes.change(connection, schema, "delete", one, actor=requester, reason=why, approved=approved, at=at)


def _end(
    connection: Connection,
    schema: Schema,
    request: Request,
    state: RequestState,
    actor: Actor,
    at: datetime,
    note: str | None = None,
) -> Request:
    """Ends a request that waits, with its event; a job that was asked for ends with it, unless it was approved."""
    head = events.take_turns(connection, schema)
    draft = ending(ENDED_BY[state], request, actor, None if state == "expired" else Reason(request.reason, note))
    (event_id,) = events.append(connection, schema, [draft], head=head, at=at)
    return _keep(connection, schema, request, state, actor, at, event_id)


def _keep(
    connection: Connection,
    schema: Schema,
    request: Request,
    state: RequestState,
    actor: Actor,
    at: datetime,
    event_id: int,
) -> Request:
    ended = queries.end_request(connection, schema, request.id, state=state, at=at, by=actor.id, event_id=event_id)
    if not ended:
        raise Conflict("Another program changed this request at this very moment. Nothing was changed; try again.")
    if request.job_id is not None and state != "approved":
        words = f"The request for approval was {state}, by {actor.id}."
        job = queries.get_job(connection, schema, request.job_id)
        # One that had begun before it was asked for stays one that has: what it did can be undone.
        left: JobState = "stopped" if job and job.done else "refused"
        queries.move_waiting_job(connection, schema, request.job_id, state=left, at=at, error=words)
    return replace(request, state=state, decided_at=at, decided_by=actor.id, decision_id=event_id)
