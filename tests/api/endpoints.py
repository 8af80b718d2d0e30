"""Every endpoint with the permission it needs, and a request of each that is in order but for what a test takes away."""

from __future__ import annotations

from typing import Any, NamedTuple

from data.access import Permission

READ, CHANGE = Permission.READ_CUSTOMERS, Permission.CHANGE_CUSTOMERS


class Endpoint(NamedTuple):
    """A route as the OpenAPI document has it, the permission, and a request: path and what goes with it."""

    method: str
    route: str
    permission: Permission
    path: str
    more: dict[str, Any] = {}  # noqa: RUF012


ENDPOINTS = [
    Endpoint("GET", "/staff/customers", READ, "/staff/customers"),
    Endpoint("POST", "/staff/customers", CHANGE, "/staff/customers", {"json": {"name": "New"}}),
    Endpoint("DELETE", "/staff/customers", CHANGE, "/staff/customers?id=1", {"json": {"reason": "mistake"}}),
    Endpoint("GET", "/staff/customers/deleted", READ, "/staff/customers/deleted"),
    Endpoint("GET", "/staff/customers/deleted.csv", READ, "/staff/customers/deleted.csv"),
    Endpoint("GET", "/staff/customers/history", READ, "/staff/customers/history?id=1"),
    Endpoint("POST", "/staff/customers/restore", CHANGE, "/staff/customers/restore", {"json": {"ids": [4]}}),
    Endpoint("GET", "/staff/customers/{customer_id}", READ, "/staff/customers/1"),
    Endpoint("DELETE", "/staff/customers/{customer_id}", CHANGE, "/staff/customers/1?reason=mistake"),
    Endpoint("GET", "/staff/customers/{customer_id}/history", READ, "/staff/customers/1/history"),
    Endpoint("POST", "/staff/customers/{customer_id}/restore", CHANGE, "/staff/customers/4/restore"),
    Endpoint("GET", "/staff/requests", READ, "/staff/requests"),
    Endpoint("GET", "/staff/requests/{request_id}", READ, "/staff/requests/1"),
    Endpoint("GET", "/reports/revenue", Permission.READ_REVENUE, "/reports/revenue"),
    Endpoint("GET", "/reports/integrity", Permission.READ_INTEGRITY, "/reports/integrity"),
]
NAMES = [f"{endpoint.method} {endpoint.route}" for endpoint in ENDPOINTS]
