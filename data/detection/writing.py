"""A proposal as text: TOML that is valid as a whole, with every reason and doubt as a comment."""

from __future__ import annotations

import re
import textwrap
import tomllib
from collections.abc import Iterable
from typing import Any

import tomlkit
from tomlkit.items import Item, Table

from data.detection.composing import Draft
from data.schema import MIGRATION

WIDTH = 118


def as_toml(draft: Draft, figures: list[str], database: str, refused: list[str]) -> str:
    """The file. Read back by any TOML reader it is exactly the draft's sections."""
    document = tomlkit.document()
    _comment(document, f"A proposal for evenbooks.toml, for {database}. Nothing was changed in the database.")
    _listed(document, "Doubts, to be looked at first:", draft.doubts)
    _listed(document, "Why:", draft.reasons)
    _listed(document, "Looked at, and not taken:", refused)
    document.add(tomlkit.nl())
    for name, section in draft.file.items():
        if section:
            document.add(name, _section(draft, name, section))
    if not draft.file["money"]:
        for line in draft.comments.get(("money", ""), []):
            _comment(document, line)
        _comment(document, "[money]")
        _comment(document, 'currency = "EUR"')
    _listed(document, "What the reports would show:", figures, fold=False)
    _listed(document, "Next:", [f"python {MIGRATION} --dry-run", f"python {MIGRATION}", "python serve.py"], fold=False)
    words = re.sub(r"\n{3,}", "\n\n", tomlkit.dumps(document))
    assert tomllib.loads(words) == {name: section for name, section in draft.file.items() if section}
    return words


def _section(draft: Draft, name: str, section: dict[str, Any]) -> Table:
    table = tomlkit.table()
    for key, value in section.items():
        for line in draft.comments.get((name, key), []):
            _comment(table, line)
        table.add(key, _value(value))
    for line in draft.comments.get((name, ""), []):
        _comment(table, line)
    table.add(tomlkit.nl())
    return table


def _value(value: Any) -> Item:
    if isinstance(value, str) and "\n" in value and '"""' not in value:
        return tomlkit.string(value, multiline=True)
    if isinstance(value, dict):
        inline = tomlkit.inline_table()
        inline.update(value)
        return inline
    found: Item = tomlkit.item(value)
    return found


def _listed(where: Any, title: str, lines: Iterable[str], *, fold: bool = True) -> None:
    found = list(lines)
    if not found:
        return
    where.add(tomlkit.nl())
    _comment(where, title)
    for line in found:
        _comment(where, f"- {line}" if fold else f"  {line}", fold=fold)


def _comment(where: Any, line: str, *, fold: bool = True) -> None:
    """A comment of one or more lines. Names may have line breaks and control characters, which no comment may have."""
    clean = re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]", "?", line)
    for part in (
        textwrap.wrap(clean, WIDTH, subsequent_indent="  ", drop_whitespace=True)
        if fold and len(clean) > WIDTH
        else [clean]
    ):
        where.add(tomlkit.comment(part.rstrip()))
