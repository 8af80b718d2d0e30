"""The checks of sealed months, and of a proof that was kept outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Row

from data import queries
from data.errors import ChecksumCut, InvalidInput
from data.events import stamp
from data.integrity.contents import Contents, measure, sha256
from data.integrity.differences import Sealed, appeared, differs, read_blocks, read_sealed
from data.integrity.look import Look, Progress
from data.integrity.replay import EndedSeal, SealEvent
from data.integrity.report import Answer, Finding
from data.money import millionths
from data.months import read_month

NOT_COMPARED = "was sealed under another mapping and cannot be compared"


@dataclass
class _Found:
    """What the sealed months come to: findings on the orders, on the table by month, and what could not be compared."""

    orders: list[Finding] = field(default_factory=list)
    table: dict[str, list[str]] = field(default_factory=dict)
    unseen: list[str] = field(default_factory=list)

    @property
    def findings(self) -> list[Finding]:
        """Every one; those on the table are named apart, so that each can be accepted on its own."""
        table = [Finding(f"{m} table", f"{m}: evenbooks_seals {', '.join(w)}") for m, w in sorted(self.table.items())]
        return [*self.orders, *table]


def seals(look: Look, *, progress: Progress) -> Answer:
    """Every sealed month has the orders, the amount and the checksum that it was sealed with, and the table of seals says
    what the events say."""
    found, sealed = _Found(), sorted(look.replay.seals.items())
    for number, (month, event) in enumerate(sealed):
        progress(number / len(sealed), f"Sealed month {month}")
        _look_at(look, month, event, found)
    for seal in queries.list_seals(look.connection, look.schema):
        known = look.replay.seals.get(seal.month)
        if known is None or known.event_id != seal.event_id:
            words = f"has a seal in force ({seal.currency}, event {seal.event_id}) that the events do not know"
            found.table.setdefault(seal.month, []).append(words)
    for ended in look.replay.ended:
        _look_at_ended(look, ended, found)
    progress(1, "Sealed months")
    findings = found.findings
    return Answer(
        whole=f"Every sealed month ({len(sealed)}) is as it was sealed." if sealed else "No month is sealed yet.",
        broken=f"Seals that do not hold: {len(findings)} ({_first(findings)}).",
        findings=findings,
        unseen=f"Could not compare every sealed month: {'; '.join(found.unseen)}." if found.unseen else None,
    )


def _first(findings: Sequence[Finding]) -> str:
    return "; ".join(f.words.split(" (checksum")[0] for f in findings[:2]) + ("; ..." if len(findings) > 2 else "")


def _look_at(look: Look, month: str, event: SealEvent, found: _Found) -> None:
    """One sealed month: the table against the event, then the orders against both."""
    sealed = _read(month, event, found)
    if sealed is None:
        return
    rows = _rows(look, event)
    altered = _altered(month, event, sealed, rows)
    if altered:
        found.table.setdefault(month, []).extend(altered)
    try:
        words, checksums = _differences(look, month, sealed, rows)
    except ChecksumCut as error:
        found.unseen.append(f"{month}: {str(error).rstrip('.')}")
        return
    if words and event.body.get("mapping") != look.schema.settings.fingerprint:
        found.unseen.append(f"{month} {NOT_COMPARED}")
    elif words:
        # The checksum makes the words say the whole state: what is accepted so is not accepted when more changes.
        state = sha256("".join(checksums))[:12]
        found.orders.append(Finding(month, f"{month}: {'; '.join(words)} (checksum {state})"))


def _look_at_ended(look: Look, ended: EndedSeal, found: _Found) -> None:
    """A seal that was ended: its rows stay, and say by which event. Its month's orders may have changed since."""
    sealed = _read(ended.month, ended.event, found)
    if sealed is None:
        return
    altered = _altered(ended.month, ended.event, sealed, _rows(look, ended.event), ended.ended_by)
    if altered:
        found.table.setdefault(ended.month, []).extend(altered)


def _read(month: str, event: SealEvent, found: _Found) -> list[Sealed] | None:
    """What the event sealed; None, and a finding, where it does not say."""
    try:
        if read_month(month) == month:
            return read_sealed(event.body)
    except (KeyError, TypeError, ValueError, AttributeError):
        pass
    found.orders.append(Finding(month, f"{month}: event {event.event_id} does not say what it sealed"))
    return None


def _rows(look: Look, event: SealEvent) -> dict[str, Row[*tuple[Any, ...]]]:
    """The event's rows in the table, by currency."""
    return {row.currency: row for row in queries.get_seal_rows(look.connection, look.schema, event.event_id)}


def _differences(
    look: Look, month: str, sealed: Sequence[Sealed], rows: Mapping[str, Row[*tuple[Any, ...]]]
) -> tuple[list[str], list[str]]:
    """What differs, currency by currency, and the checksums of now."""
    connection, schema, decimals = look.connection, look.schema, look.schema.settings.money.decimals
    words, checksums = [], []
    for one in sealed:
        now = measure(connection, schema, month, one.currency, grain=one.grain)
        checksums.append(now.checksum)
        if not one.is_still(now):
            row = rows.get(one.currency)
            words.append(differs(one, read_blocks(row.detail, one) if row else None, now, decimals=decimals))
    for now in _others(look, month, {one.currency for one in sealed}):
        checksums.append(now.checksum)
        words.append(appeared(now, decimals=decimals))
    return words, checksums


def _others(look: Look, month: str, known: set[str]) -> list[Contents]:
    """The month's orders in currencies that were not sealed."""
    if not look.schema.keeps_currency:
        return []
    found = queries.month_currencies(look.connection, look.schema, month)
    fresh = [one for one in found if one.currency not in known]
    return [measure(look.connection, look.schema, month, one.currency, grain=one.grain) for one in fresh]


def _altered(
    month: str,
    event: SealEvent,
    sealed: Sequence[Sealed],
    rows: Mapping[str, Row[*tuple[Any, ...]]],
    ended_by: int | None = None,
) -> list[str]:
    """How the table differs from what the event says, and the one that ended the seal."""
    words = []
    for one in sealed:
        row = rows.get(one.currency)
        if row is None:
            words.append(f"lacks the seal of event {event.event_id} ({one.currency})")
            continue
        # A seal that is in force again by hand is told once, with the others that the events do not know.
        said = row.unsealed_event_id
        unsealed = ("unsealing", ended_by if said is None else said, ended_by)
        pairs = [*_pairs(month, event, one, row), unsealed]
        words += [
            f"says another {name} ({one.currency}) than event {event.event_id}: {str(said)[:20]}"
            for name, said, meant in pairs
            if said != meant
        ]
    extra = sorted(rows.keys() - {one.currency for one in sealed})
    return words + [
        f"has a seal of event {event.event_id} ({currency}) that the event does not have" for currency in extra
    ]


def _pairs(month: str, event: SealEvent, one: Sealed, row: Row[*tuple[Any, ...]]) -> list[tuple[str, Any, Any]]:
    """Each column with what it says and what it should say."""
    body = event.body
    return [
        ("month", row.month, month),
        ("number of orders", f"{row.orders} of {row.all_orders}", f"{one.orders} of {one.all_orders}"),
        ("total", row.total, millionths(one.total)),
        ("checksum", row.checksum, one.checksum),
        ("mapping", row.mapping, body.get("mapping")),
        ("time", stamp(row.sealed_at), body.get("at")),
        ("actor", row.actor, body.get("actor")),
        ("detail", sha256(row.detail), one.detail_hash),
    ]


def since_head(look: Look, *, proof: dict[str, Any]) -> Answer:
    """The proof's head is an ancestor of today's: history was not rewritten. Raises InvalidInput where it is no proof."""
    event_id, known = _head_of(proof)
    found = look.replay.hashes.get(event_id)
    words = "is gone" if found is None else "is another one now: the history was rewritten"
    wrong = [] if found == known else [Finding(f"head {event_id}", f"event {event_id}, the proof's last, {words}")]
    return Answer(
        whole=f"Event {event_id}, the proof's last, is still in the chain; it has {look.replay.head.event_id} now.",
        broken=f"The history is not the one of the proof: {wrong[0].words if wrong else ''}.",
        findings=wrong,
    )


def since_seals(look: Look, *, proof: dict[str, Any]) -> Answer:
    """The months that were sealed in the proof are unchanged, or an event since says why not: then it is a warning.

    Raises InvalidInput where it is no proof.
    """
    head, _ = _head_of(proof)
    wrong, told = [], []
    kept = _seals_of(proof)
    for one in kept:
        month, name = one["month"], f"{one['month']} {one['currency']}"
        event = look.replay.seals.get(month)
        since = [e for e in look.replay.seal_events.get(month, []) if e > head]
        if event is not None and event.event_id == one["event_id"]:
            if _checksum(event, one["currency"]) != one["checksum"]:
                words = f"{name}: event {event.event_id} has another checksum than the proof has of it"
                wrong.append(Finding(name, words))
        elif since:
            numbers = ", ".join(map(str, since))
            told.append(Finding(name, f"{name}: unsealed or sealed anew since the proof, by event {numbers}"))
        else:
            wrong.append(
                Finding(name, f"{name}: its seal is gone or another one, and no event since the proof says why")
            )
    return Answer(
        whole=f"Every month that was sealed in the proof ({len(kept)} seals) is sealed the same.",
        broken=f"Seals of the proof that are not the same now: {len(wrong + told)} ({_first(wrong + told)}).",
        findings=[*wrong, *told],
        level="error" if wrong else "warning",
    )


def _checksum(event: SealEvent, currency: str) -> str | None:
    try:
        return next((s.checksum for s in read_sealed(event.body) if s.currency == currency), None)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def _head_of(proof: Mapping[str, Any]) -> tuple[int, str]:
    try:
        return int(proof["head"]["event_id"]), str(proof["head"]["hash"])
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("This is no proof: it does not say where the chain ended.") from None


def _seals_of(proof: Mapping[str, Any]) -> list[dict[str, Any]]:
    try:
        names = ("month", "currency", "checksum")
        return [{name: str(one[name]) for name in names} | {"event_id": int(one["event_id"])} for one in proof["seals"]]
    except (KeyError, TypeError, ValueError):
        raise InvalidInput("This is no proof: it does not say what was sealed.") from None
