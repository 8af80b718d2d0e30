"""Approvals: what waits for a second person, and what became of it."""

from data.access import Permission
from ui.shell import open_page

here = open_page("Approvals", Permission.READ_CUSTOMERS)
