"""Analytics: deletions and what they mean, with the deleted counted."""

from data.access import Permission
from ui.shell import open_page

here = open_page("Analytics", Permission.READ_REVENUE)
