"""Monthly Report: one month for the manager, on paper."""

from data.access import Permission
from ui.shell import open_page

here = open_page("Monthly Report", Permission.READ_REVENUE)
