"""The documents: what they quote the product as saying it says, what they link to is there, and their commands are ours."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md"])
QUOTING = ROOT / "docs" / "troubleshooting.md"
CODE = [*(ROOT / "data").rglob("*.py"), *(ROOT / "web").glob("*.py"), *(ROOT / "ui").glob("*.py"), ROOT / "serve.py"]
HOLE = "\0"  # where a sentence of the code has a value


@cache
def sentences() -> str:
    """Every text of the code, one a line; values in it are HOLEs."""
    found = []
    for path in CODE:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
            if isinstance(node, ast.JoinedStr):
                found.append("".join(part.value if isinstance(part, ast.Constant) else HOLE for part in node.values))
    return "\n".join(" ".join(re.sub(r"\{\w*\}", HOLE, one).split()) for one in found)


def quoted() -> list[str]:
    """What stands in quotation marks in the tables and lists of troubleshooting, outside of code."""
    words = re.sub(r"`[^`]*`", "", QUOTING.read_text(encoding="utf-8"))
    return [one for line in words.splitlines() for one in re.findall(r'"([^"]{12,})"', line)]


@pytest.mark.parametrize("words", quoted())
def test_what_troubleshooting_quotes_is_said(words: str) -> None:
    """Each piece between the `...` stands in one text of the code."""
    for piece in re.split(r"\s*\.{3,4}\s*", words):
        piece = piece.strip(" .,()")
        assert piece in sentences(), piece


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", document.read_text(encoding="utf-8")):
        if target.startswith("http"):
            continue
        name, _, anchor = target.partition("#")
        path = (document.parent / name) if name else document
        if not path.suffix and not path.exists():
            path = path.with_suffix(".md")
        assert path.exists(), target
        if anchor:
            headings = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}, target


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_the_modules_that_commands_name_are_there(document: Path) -> None:
    for name in re.findall(r"python -m (data[\w.]*)", document.read_text(encoding="utf-8")):
        place = ROOT / name.replace(".", "/")
        assert place.with_suffix(".py").exists() or (place / "__main__.py").exists(), name


def test_every_check_is_explained() -> None:
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in (ROOT / "data" / "integrity").glob("*.py")]
    answers = {
        node.name
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and isinstance(node.returns, ast.Name) and node.returns.id == "Answer"
    }
    checks = {name for name in answers if not name.startswith("_")}
    told = re.findall(r"^\| ([a-z_, ]+) \|", QUOTING.read_text(encoding="utf-8"), re.MULTILINE)
    assert checks - {name for line in told for name in line.split(", ")} == set()


def test_every_signal_of_the_status_is_explained() -> None:
    tree = ast.parse((ROOT / "data" / "status.py").read_text(encoding="utf-8"))
    firsts = [
        node.args[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Signal"
    ]
    named = {first.value for first in firsts if isinstance(first, ast.Constant)}
    told = re.findall(r"^\| `([a-z]+)` \|", (ROOT / "docs" / "operations.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert len(named) > 5
    assert sorted(told) == sorted(named)
