"""What a spreadsheet would take for a formula, made text: for every file that is exported."""

from __future__ import annotations

# Also as full-width characters, which some spreadsheets read as the plain ones.
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def inert(words: str) -> str:
    """The text, behind an apostrophe where it would begin a formula, also after blanks. For text only: -20.00 is a number."""
    return f"'{words}" if words.startswith(FORMULA) or words.lstrip().startswith(FORMULA) else words
