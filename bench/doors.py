"""Audited writes through HTTP, and how the dashboard of the same process answers meanwhile."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from browser_server import dashboard
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

from bench.lists import PAGE, page
from bench.measured import Measured
from bench.measuring import Figure, in_turns, say
from data import queries
from data.access import script_actor
from data.customers import restore_many
from data.database import Database, snapshot
from data.records import CustomerId

ROOT = Path(__file__).resolve().parent.parent
REQUESTS = 4000
CUSTOMERS = 400
ONE_PROCESS = "Pages and API share one Python process, and the clients and the database the same two cores."
IDLE_RUNS = 15
PAUSE = 0.1  # seconds between two runs of a page, as of somebody who clicks fast


def bench_doors(measured: Measured) -> list[Figure]:
    """Somebody reads through HTTP; then eight clients delete and restore, while somebody looks at Customer Management."""
    database = measured.database
    with snapshot(database) as moment:
        found = queries.list_customers(moment.connection, database.schema, limit=CUSTOMERS)
    ids = [customer.id for customer in found.items]
    token = make_token(database)
    with tempfile.TemporaryDirectory() as folder, dashboard(measured.url, Path(folder) / "log") as at:
        reads = read_through(at.url, token, measured)
        run_clients(at.url, token, ids, REQUESTS // 10).communicate()  # the first requests of a process are its slowest
        with visitor(at.url) as page_open:
            idle = [rerun(page_open) for _ in range(IDLE_RUNS)]
            clients, busy = run_clients(at.url, token, ids, REQUESTS), list[float]()
            while clients.poll() is None:
                busy.append(rerun(page_open))
        out, _ = clients.communicate()
        assert clients.returncode == 0, "a request failed"
    restore_many(database, ids, actor=script_actor(), reason="mistake")
    return [*reads, *figures(json.loads(out), idle, busy)]


def read_through(url: str, token: str, measured: Measured) -> list[Figure]:
    """A page of customers as JSON beside the same page read without HTTP and an answer that needs no database."""
    client = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)

    def asking(path: str) -> Callable[[], None]:
        def run() -> None:
            client.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = client.getresponse()
            body = answer.read()
            assert answer.status == 200, f"{path}: {answer.status} {body[:200]!r}"

        return run

    works = {
        "alive": asking("/healthz"),
        "direct": page(measured),
        "list": asking(f"/staff/customers?limit={PAGE}"),
        "one": asking(f"/staff/customers/{measured.customers // 2}"),
    }
    for work in works.values():
        work()
    taken = {name: one * 1000 for name, one in in_turns(works, times=51).items()}
    client.close()
    least = taken["alive"] + taken["direct"]
    return [
        Figure("a page of customers through HTTP", taken["list"], "ms", "/healthz and the page read", least, 2.5),
        Figure("one customer through HTTP", taken["one"], "ms", "20 ms", 20, 1),
    ]


def figures(met: dict[str, float], idle: list[float], busy: list[float]) -> list[Figure]:
    """What the clients met, and the page's two medians."""
    rate, p99 = met["requests"] / met["seconds"], met["p99"]
    still, meanwhile = statistics.median(idle) * 1000, statistics.median(busy) * 1000
    say(f"{met['requests']:,} writes through HTTP; the page ran {len(busy)} times meanwhile")
    return [
        Figure("audited writes through HTTP", rate, "/s", "300", 300, 1, more=True, why=ONE_PROCESS),
        Figure("99 in 100 of them", p99, "ms", "100 ms", 100, 1, why=ONE_PROCESS),
        Figure("a page's run meanwhile", meanwhile, "ms", "the same, idle", still, 2, why=ONE_PROCESS),
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


@contextmanager
def visitor(url: str) -> Iterator[ClientConnection]:
    """A session of the dashboard without a browser, which would take a core of its own; its first run is over."""
    with connect(
        f"ws://{urlsplit(url).netloc}/_stcore/stream",
        origin=Origin(url),
        subprotocols=[Subprotocol("streamlit")],
        max_size=None,
    ) as session:
        rerun(session)
        rerun(session)
        yield session


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
