"""The proof to keep outside: where the chain ends, how much there is, and what is sealed."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from data import queries, seals
from data.database import Database, snapshot
from data.errors import EvenbooksError, InvalidInput
from data.events import stamp
from data.integrity.report import Head
from data.money import plain

MADE_BY = "evenbooks"


def make_proof(database: Database) -> dict[str, Any]:
    """The chain's head, the counts and the seals as of now, for `--since` on another day; amounts as strings.

    Raises EvenbooksError where the chain has no head.
    """
    schema, decimals = database.schema, database.settings.money.decimals
    with snapshot(database) as moment:
        head = queries.get_head(moment.connection, schema)
        if head is None:
            raise EvenbooksError("The chain of events has lost its head, so there is nothing to prove.")
        counts = queries.count_state(moment.connection, schema)
        sealed = seals.list_seals(moment.connection, schema)
    return {
        "made_by": MADE_BY,
        "snapshot_at": stamp(moment.at),
        "head": asdict(Head(head.event_id, head.hash)),
        "mapping": schema.mapping,
        "counts": {"events": head.event_id, **counts},
        "seals": [
            {
                "month": s.month,
                "currency": s.currency,
                "orders": s.orders,
                "total": plain(s.total, decimals),
                "checksum": s.checksum,
                "event_id": s.event_id,
            }
            for s in sealed
        ],
    }


def read_proof_file(path: Path) -> dict[str, Any]:
    """A proof as `make_proof` made it, from a file. Raises InvalidInput where it is none."""
    try:
        proof = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.", field="since") from None
    except ValueError:
        raise InvalidInput(f"{path} is no JSON, so it is no proof.", field="since") from None
    if not _is_proof(proof):
        raise InvalidInput(f"{path} is no proof: python -m data.integrity --head prints one.", field="since")
    return dict(proof)


def _is_proof(proof: Any) -> bool:
    head, sealed = (proof.get("head"), proof.get("seals")) if isinstance(proof, dict) else (None, None)
    if not isinstance(head, dict) or not isinstance(sealed, list):
        return False
    named = isinstance(head.get("event_id"), int) and isinstance(head.get("hash"), str)
    needed = {"month": str, "currency": str, "checksum": str, "event_id": int}
    return named and all(
        isinstance(s, dict) and all(isinstance(s.get(k), t) for k, t in needed.items()) for s in sealed
    )
