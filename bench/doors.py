"""Audited writes through HTTP, and how the dashboard of the same process answers meanwhile."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from browser_server import dashboard
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bench.measuring import Figure, say
from data import queries
from data.access import script_actor
from data.customers import restore_many
from data.database import Database, snapshot
from data.records import CustomerId

ROOT = Path(__file__).resolve().parent.parent
REQUESTS = 4000
CUSTOMERS = 400
IDLE_RUNS = 15
PAUSE = 0.1  # seconds between two runs of a page, as of somebody who clicks fast


def bench_doors(database: Database) -> list[Figure]:
    """Eight clients delete and restore, while somebody looks at Customer Management."""
    with snapshot(database) as moment:
        page = queries.list_customers(moment.connection, database.schema, limit=CUSTOMERS)
    ids = [customer.id for customer in page.items]
    token = make_token(database)
    with tempfile.TemporaryDirectory() as folder, dashboard(database.settings.database_url, Path(folder) / "log") as at:
        run_clients(at.url, token, ids, REQUESTS // 10).communicate()  # the first requests of a process are its slowest
        with visitor(at.url) as page_open:
            idle = [rerun(page_open) for _ in range(IDLE_RUNS)]
            clients, busy = run_clients(at.url, token, ids, REQUESTS), list[float]()
            while clients.poll() is None:
                busy.append(rerun(page_open))
        out, _ = clients.communicate()
        assert clients.returncode == 0, "a request failed"
    restore_many(database, ids, actor=script_actor(), reason="mistake")
    return figures(json.loads(out), idle, busy)


def figures(met: dict[str, float], idle: list[float], busy: list[float]) -> list[Figure]:
    """What the clients met, and the page's two medians."""
    rate, p99 = met["requests"] / met["seconds"], met["p99"]
    still, meanwhile = statistics.median(idle), statistics.median(busy)
    say(f"{met['requests']:,} writes through HTTP; the page ran {len(busy)} times meanwhile")
    return [
        Figure("300 / audited writes a second through HTTP", rate, "300", 300 / rate, 1),
        Figure("99 in 100 of them, ms / 100 ms", p99, "100", p99 / 100, 1),
        Figure("a page's run meanwhile / idle", meanwhile, f"{still:.4f} s", meanwhile / still, 2),
    ]


def make_token(database: Database) -> str:
    """A token of staff, made as the company makes it."""
    command = [sys.executable, "-m", "data.tokens", "add", f"bench {time.time():.0f}", "--role", "staff"]
    environment = {**os.environ, "DATABASE_URL": database.settings.database_url}
    made = subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True)
    return made.stdout.splitlines()[-1]


def run_clients(url: str, token: str, ids: Sequence[CustomerId], count: int) -> subprocess.Popen[str]:
    """The clients, started."""
    command = [sys.executable, "-m", "bench.load", url, json.dumps(list(ids)), str(count)]
    return subprocess.Popen(command, cwd=ROOT, env={**os.environ, "TOKEN": token}, stdout=subprocess.PIPE, text=True)


def visitor(url: str) -> ClientConnection:
    """A session of the dashboard without a browser, which would take a core of its own; its first run is over."""
    session = connect(
        f"ws://{urlsplit(url).netloc}/_stcore/stream",
        origin=Origin(url),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    )
    rerun(session)
    rerun(session)
    return session


def rerun(session: ClientConnection) -> float:
    """Runs the first page again, as a click does; the seconds until all of it was received."""
    time.sleep(PAUSE)
    message = BackMsg()
    message.rerun_script.query_string = ""
    start = time.perf_counter()
    session.send(message.SerializeToString())
    while True:
        answer = ForwardMsg.FromString(session.recv(timeout=60))
        assert not answer.delta.new_element.HasField("exception"), answer
        if answer.WhichOneof("type") == "script_finished" and answer.script_finished != 2:
            return time.perf_counter() - start
