"""History: every event, newest first; one customer's life; the chain's state."""

from data.access import Permission
from ui.shell import open_page

here = open_page("History", Permission.READ_CUSTOMERS)
