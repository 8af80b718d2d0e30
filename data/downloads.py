"""One-time links: a secret for a file that one person asked for, good once and for a few minutes."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection

from data import events, exports, queries, sign_in
from data.access import Actor
from data.database import Database, in_transaction, now, snapshot
from data.errors import DownloadNotFound, InvalidInput
from data.events import Draft
from data.exports.sheets import Sheet
from data.history import read_body
from data.schema import as_json, is_text

VALID = timedelta(minutes=5)
SECRET = 32  # random bytes


@dataclass(frozen=True)
class Download:
    """A file that may be sent: its report and format, its name, and its sheets."""

    report: str
    form: str
    name: str
    sheets: Sequence[Sheet]


def offer(database: Database, report: str, form: str, filters: Mapping[str, str | None], *, actor: Actor) -> str:
    """Makes a link for this report as CSV or XLSX, as these filters show it; answers its secret, which is nowhere kept.

    Raises NotPermitted, StaleReplica, InvalidInput where a filter cannot be read, and what writing raises.
    """
    if report not in exports.REPORTS or form not in exports.FORMATS:
        raise InvalidInput("There is no such file.")
    actor.require(exports.REPORTS[report].permission)
    said = {name: value for name, value in filters.items() if value}
    if not all(is_text(value) for value in said.values()):
        raise InvalidInput("This cannot be looked for.")
    exports.open_report(database, report, said)
    secret = secrets.token_urlsafe(SECRET)
    what = as_json({"report": report, "format": form, "filters": said, "person": _person(actor)})
    made_at = now()

    def work(connection: Connection) -> None:
        queries.forget_expired_downloads(connection, database.schema, at=made_at)
        times = {"made_at": made_at, "expires_at": made_at + VALID}
        queries.insert_download(connection, database.schema, key=_key(secret), actor=actor.id, what=what, **times)

    in_transaction(database, work)
    return secret


def fetch(database: Database, secret: str, *, actor: Actor) -> Download:
    """Uses the link and opens its file; one with personal data leaves an event. Of many who try at once one gets it.

    Raises DownloadNotFound where there is none for this actor, or no more; NotPermitted where the role has changed since;
    and what reading raises, which leaves the link good.
    """
    key, at = _key(secret), now()
    with snapshot(database) as moment:
        row = queries.get_download(moment.connection, database.schema, key)
    # One made later than now, by more than clocks differ, is as old as nobody knows: the clock was put back.
    if row is None or row.used_at is not None or not row.made_at - VALID < at < row.expires_at:
        raise DownloadNotFound
    what = read_body(row.what)
    if row.actor != actor.id or what.get("person") != _person(actor) or what.get("report") not in exports.REPORTS:
        raise DownloadNotFound
    name, form, filters = what["report"], what["format"], what["filters"]
    report = exports.REPORTS[name]
    actor.require(report.permission)
    sheets = exports.open_report(database, name, filters)

    def work(connection: Connection) -> None:
        head = events.take_turns(connection, database.schema) if report.personal else None
        if not queries.use_download(connection, database.schema, key, at=at):
            raise DownloadNotFound
        if head is not None:
            body: dict[str, Any] = {"report": name, "format": form, "filtered": _is_filtered(name, filters)}
            events.append(connection, database.schema, [Draft("export", actor, body=body)], head=head, at=now())

    in_transaction(database, work)
    return Download(name, form, exports.file_name(name, form), sheets)


def _is_filtered(report: str, filters: Mapping[str, str]) -> bool:
    """Whether the file has less than all; a job's result is one job's, and a time zone leaves nothing out."""
    return bool(filters.keys() - {"zone"} - ({"job"} if report == "job_result" else set()))


def _key(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _person(actor: Actor) -> str | None:
    """Who it is whatever their name is by now, where they signed in."""
    claims = actor.standing.claims
    return sign_in.read_identity(claims).person if claims else None
