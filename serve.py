"""What `make run` starts: the dashboard and the API on one port."""

from __future__ import annotations

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio.to_thread
import streamlit as st
import uvicorn
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from streamlit.web.bootstrap import load_config_options

import api
from data import demo, jobs
from data.errors import EvenbooksError
from data.settings import ROOT, Settings, load_settings
from ui.door import actor_of_request, sign_in_configured
from web import downloading
from web.guarding import Doors, Hosts, ReturnTo, SecurityHeaders, page_policy, refusal
from web.logs import set_up_logging
from web.starting import Terms, read_terms

set_up_logging()


def say(line: str) -> None:
    """Progress of the first start, on the terminal."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


def prepare() -> tuple[Settings, Terms]:
    """Settings and terms, or the end of the process with the sentence that says why."""
    try:
        settings = load_settings()
        if __name__ == "__main__":
            load_config_options(listening_at(settings))
        auth = st.secrets["auth"].to_dict() if sign_in_configured() else None
        if __name__ == "__main__":
            return settings, read_terms(settings, settings.host, auth, setting="HOST")
        return settings, read_terms(settings, st.get_option("server.address"), auth, setting="server.address")
    except EvenbooksError as error:
        sys.exit(f"Evenbooks does not start: {error}")


def listening_at(settings: Settings) -> dict[str, Any]:
    """What the environment says of Streamlit's options."""
    return {"server.address": settings.host, "server.port": settings.port}


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """The demo company where nothing else is configured; then what every page needs, warm and out of the collector's sight."""
    if set(st.get_option("server.allowedHosts")) != set(terms.hosts):  # the file knows loopback only
        st.config.set_option("server.allowedHosts", list(terms.hosts))
    await anyio.to_thread.run_sync(lambda: demo.ensure_demo(load_settings(), say))
    import pandas
    import plotly.graph_objects
    import pyarrow

    import ui.analytics
    import ui.charts
    import ui.deciding
    import ui.dialogs
    import ui.evidence
    import ui.history
    import ui.lists
    import ui.months
    import ui.printed
    import ui.probing
    import ui.report
    import ui.revenue

    _ = pandas, plotly, pyarrow, ui
    gc.collect()
    gc.freeze()  # Streamlit collects after every run of a page: ten times faster without the imports in it
    jobs.work_for_default()  # also where nobody looks at a page: what a killed server left goes on
    yield None


def tell_failure(_error: Exception) -> bool:
    """What people see of a page that failed; Streamlit has already logged the rest."""
    st.error("This did not work. What happened is in the server's log.")
    return True


async def answer_failure(_request: Request, _error: Exception) -> JSONResponse:
    """What clients see of an answer that failed; the server logs the rest."""
    return refusal(500, "internal", "This did not work. What happened is in the server's log.")


settings, terms = prepare()
index = Path(st.__file__).parent / "static" / "index.html"
app = st.App(
    ROOT / "dashboard.py",
    lifespan=lifespan,
    middleware=[
        Middleware(SecurityHeaders, policy=page_policy(index.read_text(encoding="utf-8")), https=terms.https),
        Middleware(Hosts, names=terms.hosts, this_machine_only=terms.this_machine_only),
        Middleware(Doors, api=api.app, downloads=downloading.make_app(actor_of_request)),
        Middleware(ReturnTo),
    ],
    on_script_error=tell_failure,
    exception_handlers={Exception: answer_failure},
)

if __name__ == "__main__":
    try:
        demo.ensure_demo(settings, say)
    except EvenbooksError as error:
        sys.exit(f"Evenbooks does not start: {error}")
    say(f"Evenbooks is at http://{'localhost' if settings.host == '127.0.0.1' else settings.host}:{settings.port}")
    # Streamlit makes uvicorn's configuration, and has no setting for the header that names the server.
    uvicorn.Config = partial(uvicorn.Config, server_header=False)  # type: ignore[assignment,misc]
    app.run(config=listening_at(settings))
