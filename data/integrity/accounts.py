"""The checks of deletions: each has its event, at its time, and nobody's orders were lost since."""

from __future__ import annotations

from datetime import datetime, timedelta

from data import events, queries
from data.integrity.look import Look
from data.integrity.replay import MOST_FINDINGS, Deleted
from data.integrity.report import Answer, Finding
from data.records import CustomerId

CLOCK_ERROR = timedelta(days=1)
BATCH = 500


def deletions(look: Look) -> Answer:
    """Every deleted customer was deleted by an event, at that time, and nobody came back without one."""
    expected = look.replay.deleted
    actual = {c: events.stamp(at) for c, at in queries.list_deleted_ids(look.connection, look.schema)}
    wrong = []
    for customer, at in actual.items():
        if customer not in expected:
            wrong.append(Finding(str(customer), f"customer {customer}: deleted at {at} without an event"))
        elif expected[customer].at != at:
            words = f"customer {customer}: deleted at {at}, its event says {expected[customer].at}"
            wrong.append(Finding(str(customer), words))
    absent = [customer for customer in expected if customer not in actual]
    for start in range(0, len(absent), BATCH):
        ids = absent[start : start + BATCH]
        there = queries.get_customers(look.connection, look.schema, ids)
        for customer in ids:
            state = "active, although" if customer in there else "not in the table any more,"
            wrong.append(Finding(str(customer), f"customer {customer}: {state} deleted at {expected[customer].at}"))
    return Answer(
        whole=f"Every deleted customer ({len(actual)}) has the event that deleted them, at that time.",
        broken=f"Customers deleted or restored behind the back of Evenbooks, or gone: {len(wrong)} ({_first(wrong)}).",
        findings=wrong[:MOST_FINDINGS],
        count=len(wrong),
    )


def _first(findings: list[Finding]) -> str:
    return ", ".join(f.id for f in findings[:3]) + (", ..." if len(findings) > 3 else "")


def future(look: Look) -> Answer:
    """Nobody is deleted later than now; a day is allowed for clocks that are wrong."""
    latest = look.at + CLOCK_ERROR
    listed = queries.list_deleted_ids(look.connection, look.schema)
    late = [
        Finding(str(c), f"customer {c}: deleted at {events.stamp(at)}, which is in the future")
        for c, at in listed
        if isinstance(at, datetime) and at > latest
    ]
    return Answer(
        whole="Nobody was deleted in the future.",
        broken=f"Customers deleted in the future: {len(late)} ({_first(late)}).",
        findings=late[:MOST_FINDINGS],
        count=len(late),
    )


def named_customers(look: Look) -> Answer:
    """Every customer whom an event names is still in the table: nobody was physically removed."""
    gone = queries.list_named_but_gone(look.connection, look.schema, limit=MOST_FINDINGS)
    findings = [Finding(str(c), f"customer {c}: an event names them, but the table does not have them") for c in gone]
    return Answer(
        whole="Every customer whom an event names is in the table.",
        broken=f"Customers whom events name but who are not in the table any more: {len(gone)} ({_first(findings)}).",
        findings=findings,
    )


def customer_count(look: Look) -> Answer:
    """There are no fewer customers than at the installation, when all was last even, and in a proof kept outside."""
    if look.schema.settings.customers.where:
        return Answer(
            "[customers] where names a slice of the table, which customers may leave, so their number says nothing."
        )
    baseline, now = look.replay.baseline, look.customers
    known = [("when Evenbooks was installed", baseline.customers, baseline.mapping)]
    for words, said in (("when all was last even", look.last_even), ("in the proof", look.outside)):
        if said:
            known.append((words, (said.get("counts") or {}).get("customers"), said.get("mapping")))
    fewer = [
        Finding("customers", f"{now} customers; {number} {words}")
        for words, number, mapping in known
        if isinstance(number, int) and mapping == look.schema.mapping and now < number
    ]
    return Answer(
        whole=f"There are {now} customers, no fewer than before.",
        broken=f"Customers are gone from the table: {fewer[-1].words if fewer else ''}.",
        findings=fewer[-1:],
    )


def before_after(look: Look) -> Answer:
    """Each delete, restore and erasure left its customer's orders and revenue as they were, by its own event."""
    counts = look.replay.counts
    unequal = look.replay.unequal
    changes, erasures = counts.get("delete", 0) + counts.get("restore", 0), counts.get("erase", 0)
    also = f" and {erasures} erasures" if erasures else ""
    return Answer(
        whole=f"Each of the {changes} deletes and restores{also} left orders and revenue as they were.",
        broken=f"Deletes, restores and erasures whose before is not their after: {len(unequal)} (event {_first(unequal)}).",
        findings=unequal,
    )


def approvals(look: Look) -> Answer:
    """Whatever was deleted or erased by a request was approved before, in time, and by somebody else than who asked."""
    requests = look.replay.requests
    return Answer(
        whole=f"Each of the {requests.carried_out} deletions and erasures that were asked for was approved by somebody else."
        if requests.carried_out
        else "Nothing was deleted or erased by a request.",
        broken=f"Deletions, erasures or approvals that should not have been: {len(requests.findings)} "
        f"(event {_first(requests.findings)}).",
        findings=requests.findings,
    )


def lost_orders(look: Look) -> Answer:
    """No deleted customer has fewer orders, of whatever status, than when they were deleted."""
    now = queries.count_orders_of_deleted(look.connection, look.schema)
    findings, more = list(look.replay.lost), []
    for customer, known in look.replay.deleted.items():
        if known.orders is None or customer not in now:
            continue  # one who is not deleted any more is the business of another check
        orders, last = now[customer]
        if orders < known.orders:
            findings.append(_lost(customer, known, orders))
        elif isinstance(last, int) and isinstance(known.last_order, int) and last > known.last_order:
            more.append(customer)
    # Orders that came later must not hide that earlier ones went.
    for start in range(0, len(more), BATCH):
        ids = more[start : start + BATCH]
        earlier = dict.fromkeys(ids, 0)
        for customer, order in queries.list_order_ids(look.connection, look.schema, ids):
            # A number that is none is not compared, so that nothing is alleged.
            earlier[customer] += not isinstance(order, int) or order <= look.replay.deleted[customer].last_order
        findings += [
            _lost(c, look.replay.deleted[c], earlier[c])
            for c in ids
            if earlier[c] < (look.replay.deleted[c].orders or 0)
        ]
    return Answer(
        whole=f"None of the {len(now)} deleted customers has lost an order since.",
        broken=f"Deleted customers who have lost orders since: {len(findings)} ({_first(findings)}).",
        findings=findings[:MOST_FINDINGS],
        count=len(findings),
    )


def _lost(customer: CustomerId, known: Deleted, found: int) -> Finding:
    words = f"customer {customer}: {known.orders} orders when deleted by event {known.event_id}, {found} of them now"
    return Finding(str(customer), words)
