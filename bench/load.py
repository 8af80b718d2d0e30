"""Clients of the API as a process of their own: `python -m bench.load URL IDS COUNT`, the token in TOKEN.

Eight threads with a connection each delete and restore customers of their own in turn, for COUNT requests in all.
Prints JSON: how many, in how many seconds, and the milliseconds within which 99 in 100 were answered.
"""

from __future__ import annotations

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Sequence
from urllib.parse import urlsplit

CLIENTS = 8


def visit(address: str, ids: Sequence[int], count: int, taken: list[float]) -> None:
    """One client: `count` requests one after the other, each of which must have changed a customer."""
    connection = http.client.HTTPConnection(address, timeout=30)
    headers = {"Authorization": f"Bearer {os.environ['TOKEN']}"}
    for number in range(count):
        customer_id = ids[number // 2 % len(ids)]
        asked = ("DELETE", f"/staff/customers/{customer_id}?reason=mistake")
        if number % 2:
            asked = ("POST", f"/staff/customers/{customer_id}/restore")
        start = time.perf_counter()
        connection.request(*asked, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        taken.append((time.perf_counter() - start) * 1000)
        assert answer.status == 200, f"{asked}: {answer.status} {body!r}"
        assert json.loads(body)["changed"], f"{asked}: {body!r}"
    connection.close()


def main() -> None:
    """Starts the clients together and prints what they met; a client that fails ends the run."""
    url, ids, count = sys.argv[1], json.loads(sys.argv[2]), int(sys.argv[3])
    taken: list[list[float]] = [[] for _ in range(CLIENTS)]
    parts = [(urlsplit(url).netloc, ids[n::CLIENTS], count // CLIENTS, taken[n]) for n in range(CLIENTS)]
    threads = [threading.Thread(target=visit, args=part) for part in parts]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    assert sum(map(len, taken)) == count // CLIENTS * CLIENTS, "a client failed"
    every = sorted(ms for each in taken for ms in each)
    print(json.dumps({"requests": len(every), "seconds": seconds, "p99": every[len(every) * 99 // 100]}))


if __name__ == "__main__":
    main()
