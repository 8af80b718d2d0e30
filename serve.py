"""What `make run` starts: the dashboard (and later the API) on one port."""

from __future__ import annotations

import gc
import logging
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio.to_thread
import streamlit as st

from data import demo
from data.errors import EvenbooksError
from data.settings import ROOT, load_settings

logging.getLogger("alembic").setLevel(logging.WARNING)
logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")


def say(line: str) -> None:
    """Progress of the first start, on the terminal."""
    print(line, file=sys.stderr, flush=True)  # noqa: T201


@asynccontextmanager
async def lifespan(_app: st.App) -> AsyncIterator[dict[str, Any] | None]:
    """The demo company where nothing else is configured; then what every page needs, warm and out of the collector's sight."""
    await anyio.to_thread.run_sync(lambda: demo.ensure_demo(load_settings(), say))
    import pandas
    import plotly.graph_objects
    import pyarrow

    import ui.charts
    import ui.dialogs
    import ui.evidence
    import ui.lists
    import ui.months
    import ui.printed
    import ui.probing
    import ui.revenue

    _ = pandas, plotly, pyarrow, ui
    gc.collect()
    gc.freeze()  # Streamlit collects after every run of a page: ten times faster without the imports in it
    yield None


app = st.App(ROOT / "dashboard.py", lifespan=lifespan)

if __name__ == "__main__":
    try:
        settings = load_settings()
        demo.ensure_demo(settings, say)
    except EvenbooksError as error:
        sys.exit(f"Evenbooks does not start: {error}")
    say(f"Evenbooks is at http://{'localhost' if settings.host == '127.0.0.1' else settings.host}:{settings.port}")
    app.run(config={"server.address": settings.host, "server.port": settings.port})
