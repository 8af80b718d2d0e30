"""Events in words that people read: Deleted by j.doe at the dashboard: Requested by the customer, moved away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from data.records import Event

# What can be asked for in the history, and in which words; of other events the name stands for itself.
ACTIONS = {
    "delete": "Deleted",
    "restore": "Restored",
    "erase": "Erased",
    "add": "Added",
    "edit": "Edited",
    "request": "Requested",
    "approve": "Approved",
    "reject": "Rejected",
    "withdraw": "Withdrawn",
    "expire": "Not decided in time",
    "export": "Downloaded",
    "seal": "Sealed",
    "unseal": "Opened again",
    "acknowledge": "Accepted",
    "token": "Token added",
    "revoke": "Token revoked",
    "baseline": "Beginning",
    "migrate": "Database prepared",
}
DOORS = {"dashboard": "at the dashboard", "api": "through the API", "command": "by a command"}
KINDS = {"delete": "Deletion", "restore": "Restore", "erase": "Erasure"}
ENDS = {
    "request": "requested",
    "approve": "approved",
    "reject": "rejected",
    "withdraw": "withdrawn",
    "expire": "not decided in time",
}


def tell(event: Event, body: Mapping[str, Any], labels: Mapping[str, str]) -> str:
    """One event as a sentence without its end: what, by whom, through which door, and why. Plain text, other people's too."""
    words = f"{_what(event.action, body)} by {event.actor} {DOORS.get(event.door, f'through {event.door}')}"
    why = [labels.get(event.reason or "", event.reason), event.note]
    because = ", ".join(" ".join(one.split()) for one in why if one)
    return f"{words}: {because}" if because else words


def _what(action: str, body: Mapping[str, Any]) -> str:
    """What happened, with what it happened to where that is no customer."""
    if action in ENDS:
        asked = KINDS.get(str(body.get("kind")), str(body.get("kind") or "Request"))
        return f"{asked} {ENDS[action]}"
    about = {
        "edit": ", ".join(str(one) for one in body.get("columns") or ()),
        "seal": body.get("month"),
        "unseal": body.get("month"),
        "acknowledge": body.get("check"),
        "token": body.get("token"),
        "revoke": body.get("token"),
        "export": _file(body) if action == "export" else None,
    }.get(action)
    words = ACTIONS.get(action, action.capitalize())
    return f"{words} ({about})" if about else words


def _file(body: Mapping[str, Any]) -> str:
    """Which file: deleted customers as XLSX, filtered."""
    report = str(body.get("report")).replace("_", " ")
    return f"{report} as {str(body.get('format')).upper()}{', filtered' if body.get('filtered') else ''}"
