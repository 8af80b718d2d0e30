"""One line of JSON for each write, on the logger `evenbooks.writes`: who, what, how it ended, how long. Nothing personal."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from data.access import Actor
from data.errors import BooksMoved, Conflict
from data.records import CustomerId, Outcome

LOGGER = logging.getLogger("evenbooks.writes")


@dataclass
class Line:
    """What is known of a write so far. `customer_id` is set once it is known to be a customer's."""

    outcome: str = "changed"
    customer_id: CustomerId | None = None

    def tell(self, outcomes: Sequence[Outcome]) -> None:
        """Whether anything was changed or all of it had been done already, and of one customer the id."""
        self.outcome = "changed" if any(o.changed for o in outcomes) else "already"
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
        said = {"action": action, "actor": actor.id, "door": str(actor.door), **of}
        LOGGER.info("%s", json.dumps({**said, "outcome": line.outcome, "ms": milliseconds}))


def _harmless(customer_id: object, *, known: bool) -> CustomerId | None:
    """A number, or a customer's own key. What else somebody sent as an id may be a name or an address."""
    if isinstance(customer_id, int) or (known and isinstance(customer_id, str)):
        return customer_id
    if isinstance(customer_id, str) and re.fullmatch(r"-?[0-9]{1,19}", customer_id):
        return int(customer_id)
    return None
