"""What a spreadsheet would take for a formula, made text: for every file that is exported."""

from __future__ import annotations

import re

# Also as full-width characters, which some spreadsheets read as the plain ones.
SIGNS = "=+\\-@\uff1d\uff0b\uff0d\uff20"
# Characters without a width or a shape, which some spreadsheets leave out: a byte order mark, joiners, directions.
UNSEEN = "\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff"
# At the beginning, and behind whatever a spreadsheet may split a line at; there a quotation mark may end at once.
BEGINNING = re.compile(
    rf"^(?=[\t\r\n]|[\s{UNSEEN}]*[{SIGNS}])|(?<=[;\t\r\n])(?=(?:[^\S\t\r\n]|[{UNSEEN}\"])*[{SIGNS}])"
)


def inert(words: str) -> str:
    """The text, with an apostrophe wherever it would begin a formula. For text only: -20.00 is a number.

    That is at its beginning, and behind each semicolon, tab and end of line, also after blanks and unseen characters.
    """
    return BEGINNING.sub("'", words)
