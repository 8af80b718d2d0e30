"""One line of JSON for each write, on the logger `evenbooks.writes`: who, what, how it ended, how long. Nothing personal."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from data.access import Actor, Door, Role
from data.errors import BooksMoved, Conflict
from data.records import CustomerId, Job, Outcome

LOGGER = logging.getLogger("evenbooks.writes")


@dataclass
class Line:
    """What is known of a write so far. `customer_id` is set once it is known to be a customer's."""

    outcome: str = "changed"
    customer_id: CustomerId | None = None
    event_id: int | None = None

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Whether anything was changed, with the last event; or asked for; or had been done already; of one customer the id."""
        events = [o.event_id for o in outcomes if o.changed]
        asked = [o.request_id for o in outcomes if o.request_id is not None]
        self.outcome = "changed" if events else "requested" if asked else "already"
        # That of an earlier change is somebody else's.
        self.event_id = events[-1] if events else asked[-1] if asked else None
        if len(outcomes) == 1:
            self.customer_id = outcomes[0].customer.id


@contextmanager
def logged(
    action: str, actor: Actor, ids: Iterable[CustomerId] | None, *, batch_id: str | None = None
) -> Iterator[Line]:
    """Writes the line when the block ends, so the block holds the transaction, its commit included.

    `ids` are those that were asked for, None where there is none yet. What raises is named by its class.
    """
    line, start = Line(), time.perf_counter()
    asked = None if ids is None else list(ids)
    try:
        yield line
    except BaseException as error:
        line.outcome = type(error).__name__
        if asked and len(asked) == 1:
            line.customer_id = _harmless(asked[0], known=isinstance(error, Conflict | BooksMoved))
        raise
    finally:
        if asked is None or len(asked) == 1:
            of: dict[str, object] = {"id": line.customer_id}
        else:
            of = {"count": len(asked)}
        if batch_id or "count" in of:
            of["batch"] = batch_id
        milliseconds = round((time.perf_counter() - start) * 1000, 1)
        said = {"action": action, "actor": name_actor(actor), "door": str(actor.door), **of}
        LOGGER.info("%s", json.dumps({**said, "event": line.event_id, "outcome": line.outcome, "ms": milliseconds}))


def tell_job(job: Job, *, seconds: float) -> None:
    """Writes the line of a job that has ended, or does not go on: its state where it is not done, and how long this went on."""
    outcome = ("changed" if job.changed else "already") if job.state == "done" else job.state
    actor = Actor(job.actor, Role(job.role), Door(job.door))
    said = {"action": job.kind, "actor": name_actor(actor), "door": job.door, "count": job.total}
    more = {"batch": job.id, "changed": job.changed, "outcome": outcome, "ms": round(seconds * 1000, 1)}
    LOGGER.info("%s", json.dumps({**said, **more}))


def name_actor(actor: Actor) -> str:
    """An actor as the log may name it: people who sign in, often with an e-mail address, by the hash of their id.

    The event of the line names them to who may read it.
    """
    if actor.id.startswith(("os:", "token:")):
        return actor.id
    return f"person:{hashlib.sha256(actor.id.encode()).hexdigest()[:16]}"


def _harmless(customer_id: object, *, known: bool) -> CustomerId | None:
    """A number, or a customer's own key. What else somebody sent as an id may be a name or an address."""
    if isinstance(customer_id, int) or (known and isinstance(customer_id, str)):
        return customer_id
    if isinstance(customer_id, str) and re.fullmatch(r"-?[0-9]{1,19}", customer_id):
        return int(customer_id)
    return None
