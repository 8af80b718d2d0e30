"""Retention: who is due to be erased and when; erasing, with the totals proved."""

from data.access import Permission
from ui.shell import open_page

here = open_page("Retention", Permission.READ_INTEGRITY)
