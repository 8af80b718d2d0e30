"""The pages, which of them a role may see, and where it lands."""

from __future__ import annotations

from typing import NamedTuple

import streamlit as st

from data import approvals
from data import database as databases
from data.access import ALLOWED, Permission, Role
from data.errors import EvenbooksError
from data.settings import ROOT
from ui.keeping import kept


class Entry(NamedTuple):
    """A page of the menu: its file, title, icon, and what somebody must be allowed to see it."""

    file: str
    title: str
    icon: str
    permission: Permission


APPROVALS = "pages/approvals.py"
PAGES = (
    Entry("pages/customers.py", "Customer Management", ":material/group:", Permission.READ_CUSTOMERS),
    Entry("pages/deleted_customers.py", "Deleted Customers", ":material/person_off:", Permission.READ_CUSTOMERS),
    Entry("pages/revenue.py", "Revenue", ":material/bar_chart:", Permission.READ_REVENUE),
    Entry("pages/integrity.py", "Financial Integrity", ":material/verified:", Permission.READ_INTEGRITY),
    Entry("pages/history.py", "History", ":material/history:", Permission.READ_CUSTOMERS),
    Entry(APPROVALS, "Approvals", ":material/how_to_reg:", Permission.READ_CUSTOMERS),
    Entry("pages/retention.py", "Retention", ":material/auto_delete:", Permission.READ_RETENTION),
    Entry("pages/analytics.py", "Analytics", ":material/insights:", Permission.READ_REVENUE),
    Entry("pages/report.py", "Monthly Report", ":material/print:", Permission.READ_REVENUE),
)


def home_of(role: Role | None) -> str:
    """The file of the page on which a role lands."""
    return "pages/revenue.py" if role in (Role.MANAGER, Role.AUDITOR) else "pages/customers.py"


def allowed_pages(role: Role | None) -> list[Entry]:
    """The pages that a role may see; nobody sees none."""
    return [entry for entry in PAGES if role and entry.permission in ALLOWED[role]]


def open_menu(role: Role | None) -> st.Page:
    """Shows the menu of a role, none to nobody, and answers the page to run, which then says who may see it.

    Every page is registered for everybody, or Streamlit would say that there is no page at its address.
    """
    waiting = _waiting(role)
    page = _register(role, waiting, at_home=False)
    return _register(role, waiting, at_home=True) if page.url_path == "" and role else page


def _waiting(role: Role | None) -> int:
    """How many requests wait, for whom they concern; nothing where that cannot be said at once: the menu asks no database
    that is not at hand."""
    if role is None or Permission.APPROVE_REQUESTS not in ALLOWED[role] or not databases.is_attached():
        return 0
    return _count_waiting(databases.default().settings.database_url)


@kept()
def _count_waiting(url: str) -> int:
    """Kept for a minute, also where the database fails, which the page then says; `url` keeps databases apart."""
    try:
        return approvals.count_waiting(databases.default())
    except EvenbooksError:
        return 0


def _register(role: Role | None, waiting: int, *, at_home: bool) -> st.Page:
    """Each page under an address of its own, whoever looks, and the role's first page also under /, so that no address
    means another page to somebody else. In the menu stands the one of the two that is open."""
    allowed, home, pages = allowed_pages(role), home_of(role), []
    for entry in PAGES:
        own_shown = entry in allowed and not (at_home and entry.file == home)
        title = f"{entry.title} ({waiting})" if waiting and entry.file == APPROVALS else entry.title
        if entry.file == home:
            pages.append(_page(entry, title, shown=at_home, url_path="home", default=True))
        pages.append(_page(entry, title, shown=own_shown))
    return st.navigation(pages, position="top" if role else "hidden")


def _page(entry: Entry, title: str, *, shown: bool, url_path: str | None = None, default: bool = False) -> st.Page:
    return st.Page(
        str(ROOT / entry.file),
        title=title,
        icon=entry.icon,
        url_path=url_path,
        default=default,
        visibility="visible" if shown else "hidden",
    )
