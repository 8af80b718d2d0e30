"""Sharing a transaction: what is asked for while one runs is done together in the next.

Every change takes the chain's head first, so single changes would queue there, each with its round trips and its
flush to disk. Whoever comes meanwhile waits here instead; then one of them works for all.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from data.errors import DatabaseBusy, DatabaseUnavailable, OutcomeUnknown

W = TypeVar("W")
R = TypeVar("R")
MOST = 16  # that share a transaction
LONGEST = 60.0  # seconds that one waits for the others' turn: longer than it can take a database that answers


@dataclass(eq=False)
class _Place(Generic[W, R]):
    """Somebody's place in the queue: the wish, and what became of it."""

    key: Hashable
    wish: W
    leads: bool = False
    answers: list[R] = field(default_factory=list)
    away: DatabaseUnavailable | None = None
    called: threading.Event = field(default_factory=threading.Event)


class Turns(Generic[W, R]):
    """A queue of wishes in which the first works for all that wait. Safe between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Place[W, R]] = []
        self._busy = False

    def ask(self, key: Hashable, wish: W, work: Callable[[Sequence[W]], Sequence[R]]) -> R:
        """The answer to this wish, worked out with those that wait; no two of one key together.

        `work` answers in the order of the wishes. Where it raises for several, each is worked out alone, so that
        nobody gets another's error; but where the database is away, or what it did is not known, that is everybody's.
        Raises DatabaseBusy where those before take a minute, and OutcomeUnknown where it is among them.
        """
        place: _Place[W, R] = _Place(key, wish)
        with self._lock:
            self._waiting.append(place)
            if not self._busy:
                self._busy = place.leads = True
        if not place.leads and not place.called.wait(LONGEST):
            self._give_up(place)
        if place.leads:
            self._work_for_all(work)
        if place.away is not None:
            raise type(place.away)(*place.away.args) from place.away
        return place.answers[0] if place.answers else work([wish])[0]

    def _work_for_all(self, work: Callable[[Sequence[W]], Sequence[R]]) -> None:
        with self._lock:
            together = self._take()
        try:
            for place, answer in zip(together, work([place.wish for place in together]), strict=True):
                place.answers.append(answer)
        except Exception as error:
            if len(together) == 1:
                raise
            if isinstance(error, DatabaseUnavailable) and not isinstance(error, DatabaseBusy):
                for place in together:
                    place.away = error
        finally:
            self._hand_over(together)

    def _give_up(self, place: _Place[W, R]) -> None:
        """Leaves the queue, unless it is this one's turn after all."""
        with self._lock:
            if place.leads or place.answers or place.called.is_set():
                return
            if place not in self._waiting:
                raise OutcomeUnknown
            self._waiting.remove(place)
        raise DatabaseBusy("The database takes very long with what others asked for. Nothing was changed; try again.")

    def _take(self) -> list[_Place[W, R]]:
        """The first who waits, and those after who wish something of another customer."""
        together: dict[Hashable, _Place[W, R]] = {}
        for place in self._waiting:
            if len(together) < MOST:
                together.setdefault(place.key, place)
        taken = list(together.values())
        self._waiting = [place for place in self._waiting if together.get(place.key) is not place]
        return taken

    def _hand_over(self, together: Sequence[_Place[W, R]]) -> None:
        """The next who waits leads; those whose turn it was go on."""
        with self._lock:
            following = self._waiting[0] if self._waiting else None
            self._busy = following is not None
            if following:
                following.leads = True
        for place in [*([following] if following else []), *together]:
            place.called.set()
