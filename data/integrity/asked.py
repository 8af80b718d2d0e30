"""What the events say of requests for approval: who asked, who decided, and what was done by it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from data.access import names_in
from data.events import Link
from data.integrity.report import Finding

MOST_FINDINGS = 10_000  # kept to be named
ENDS = {"approve": "approved", "reject": "rejected", "withdraw": "withdrawn", "expire": "expired"}


@dataclass
class Asked:
    """A request as its event says it, and what became of it. `used`: one customer was deleted by it."""

    customer: Any
    job: str | None
    names: frozenset[str]
    expires_at: str
    state: str = "waiting"
    used: bool = False


@dataclass
class Requests:
    """Every request by its event's number, those of jobs by the job; `findings` what was done without approval."""

    asked: dict[int, Asked] = field(default_factory=dict)
    of_jobs: dict[str, Asked] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    carried_out: int = 0

    def follow(self, link: Link) -> None:
        """What an event has to do with requests. Raises TypeError, ValueError or KeyError for a body that was tampered with."""
        body: Any = link.body
        action = body.get("action")
        if action == "request":
            names = names_in(body["actor"], body["owner"])
            known = Asked(body["customer_id"], body["batch_id"], names, str(body["expires_at"]))
            self.asked[link.event_id] = known
            if known.job is not None:
                self.of_jobs[known.job] = known
        elif action in ENDS and "request" in body:
            self._end(link, ENDS[action])
        elif action in ("delete", "erase"):
            self._use(link)

    def _end(self, link: Link, state: str) -> None:
        body: Any = link.body
        known = self.asked.get(int(body["request"]))
        what = f"event {link.event_id}: request {body['request']}"
        if known is None or known.state != "waiting":
            self._find(link, f"{what} was {state}, but did not wait")
            return
        if state == "approved":
            if names_in(body["actor"]) & known.names:
                self._find(link, f"{what} was approved by who asked for it")
            if str(body["at"]) >= known.expires_at:
                self._find(link, f"{what} was approved after it had expired")
        known.state = state

    def _use(self, link: Link) -> None:
        """A deletion by a request, and one by a job that was asked for, need the approval; others say nothing of it."""
        body: Any = link.body
        named = body.get("request")
        known = self.of_jobs.get(body["batch_id"]) if named is None else self.asked.get(int(named))
        if named is None and known is None:
            return
        self.carried_out += 1
        what = f"event {link.event_id} ({body['action']} of customer {body['customer_id']})"
        if known is None or known.state != "approved":
            self._find(link, f"{what}: its request was not approved")
        elif known.job is None:
            if known.customer != body["customer_id"] or known.used:
                self._find(link, f"{what}: its request was approved for another deletion")
            known.used = True
        elif known.job != body["batch_id"]:
            self._find(link, f"{what}: its request was approved for another job")

    def _find(self, link: Link, words: str) -> None:
        if len(self.findings) < MOST_FINDINGS:
            self.findings.append(Finding(str(link.event_id), words))
