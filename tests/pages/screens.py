"""How the page tests read a screen and use it: words as a person reads them, buttons by key."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from typing import Any

import pandas as pd
from shops import AUDITOR as AUDITOR
from shops import MANAGER as MANAGER
from shops import PHONE
from shops import STAFF as STAFF
from sqlalchemy import text
from streamlit.testing.v1 import AppTest

from data import database as databases
from data import downloads, exports, queries
from data.access import Actor, Door, Role
from data.database import Database, snapshot
from data.records import Event
from ui import checking, lists

ANN = Actor("test:ann", Role.ADMIN, Door.DASHBOARD)
AUTH = {"redirect_uri": "http://localhost:8501/oauth2callback", "client_id": "evenbooks"}
HOSTILE = "**bold** :red[x] $x$ <script>alert(1)</script> [a](http://x) www.x.com a@b.cc"

ISSUER = "https://login.example.com"
SECTIONS = PHONE | {"roles": {role.value: {"emails": [f"{role}@example.com"]} for role in Role}}
NOBODY = {"is_logged_in": False}


def claims_of(account: str, **more: Any) -> dict[str, Any]:
    """What the cookie of somebody who signed in a minute ago holds."""
    now = int(time.time())
    person = {
        "sub": account,
        "name": account.title(),
        "email": f"{account}@example.com",
        "email_verified": True,
    }
    return {"is_logged_in": True, "iss": ISSUER, "iat": now - 60, "exp": now + 3000, **person, **more}


def enter(app: Any, page: str, name: str, **more: Any) -> AppTest:
    """A page, as whoever has this name signed in; beside it stands an actor with every right, who must not count."""
    at: AppTest = app(page, sections=SECTIONS, claims=claims_of(name), **more)
    return at


def as_read(markdown: str) -> str:
    """Markdown that is all escaped, as the browser shows it."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace("\u2060", "")


def said(at: AppTest) -> str:
    """Every sentence on the screen, a line each; the screen must not hold a traceback."""
    assert not at.exception, at.exception[0].value
    boxes = [at.title, at.caption, at.markdown, at.subheader, at.info, at.success, at.warning, at.error]
    return "\n".join(as_read(str(element.value)) for box in boxes for element in box)


def press(at: AppTest, key: str) -> AppTest:
    """Clicks a button and runs; a disabled one cannot be clicked."""
    button = at.button(key=key)
    assert not button.disabled, f"{key} is disabled"
    return button.click().run()


def check_now(at: AppTest) -> AppTest:
    """Presses Check now, and looks again once the check has ended; a browser's page looks by itself."""
    press(at, "check")
    checking.wait()
    return at.run()


def take(at: AppTest, form: str = "CSV") -> str:
    """Chooses a format of the Download control; answers the secret of the link that the page's frame asks for."""
    menu = at.menu_button(key="download")
    assert not menu.disabled
    menu.click(form).run()
    assert not at.exception, at.exception[0].value
    (frame,) = at.get("iframe")
    assert frame.proto.src == f"/downloads/{at.session_state.begun.secret}"
    return str(at.session_state.begun.secret)


def taken(at: AppTest, actor: Actor) -> str:
    """The CSV file that the Download control brings to this actor."""
    made = downloads.fetch(databases.default(), take(at), actor=actor)
    return "".join(exports.csv_pages(made.sheets[0]))


def disabled(at: AppTest, *keys: str) -> list[bool]:
    """Whether each of these buttons is disabled."""
    return [at.button(key=key).disabled for key in keys]


def select(at: AppTest, *rows: int) -> AppTest:
    """Selects rows of the page's table, as ticking them does."""
    at.session_state[table(at).key] = {"selection": {"rows": list(rows), "columns": [], "cells": []}}
    return at.run()


def table(at: AppTest) -> Any:
    """The table whose rows can be selected."""
    return next(frame for frame in at.dataframe if frame.key)


def shown(at: AppTest) -> pd.DataFrame:
    """What that table shows."""
    assert not at.exception, at.exception[0].value
    frame: pd.DataFrame = table(at).value
    return frame


def dialog(at: AppTest) -> str | None:
    """The open dialog's title as a person reads it, or None."""
    assert not at.exception, at.exception[0].value
    found = at.get("dialog")
    return as_read(found[0].proto.dialog.title) if found else None


def ask_to_delete(at: AppTest, *rows: int) -> AppTest:
    """Opens the delete dialog for these rows."""
    return press(select(at, *rows), "delete")


def confirm(at: AppTest, reason: str | None = "requested", note: str = "") -> AppTest:
    """Fills the delete dialog and confirms it."""
    if reason:
        at.selectbox(key="reason").set_value(reason)
    if note:
        at.text_input(key="note").set_value(note)
    return press(at, "confirm_delete")


def events_of(database: Database, customer_id: object | None = None) -> list[Event]:
    """The events, newest first."""
    with snapshot(database) as moment:
        return queries.list_events(moment.connection, database.schema, customer_id=customer_id, limit=200)  # type: ignore[arg-type]


def scalar(database: Database, sql: str) -> Any:
    """The one value that a statement answers."""
    with database.engine.connect() as connection:
        return connection.execute(text(sql)).scalar()


def as_toml(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Sections as `evenbooks.toml` has them."""

    def value(of: Any) -> str:
        pairs = of.items() if isinstance(of, Mapping) else ()
        return (
            "{" + ", ".join(f"{k} = {value(v)}" for k, v in pairs) + "}"
            if pairs
            else json.dumps(of, ensure_ascii=False)
        )

    return "\n".join(
        f"[{name}]\n" + "\n".join(f"{key} = {value(of)}" for key, of in keys.items()) for name, keys in sections.items()
    )


def few_rows(monkeypatch: Any, number: int) -> None:
    """Pages of so many rows."""
    monkeypatch.setattr(lists, "ROWS", number)
