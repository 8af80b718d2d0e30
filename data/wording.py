"""What is wrong with a setting, as sentences that name it."""

from __future__ import annotations

import difflib
from typing import Any

from pydantic import BaseModel, ValidationError


def sentences(error: ValidationError, where: str, model: type[BaseModel]) -> str:
    """Each problem as a sentence that names the key and what was found."""
    problems: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for problem in error.errors():
        problems.setdefault(_path(problem["loc"]), []).append(dict(problem))
    # Of a value that may be this or that, the complaint about its inside says more.
    inside = {path[:n] for path in problems for n in range(len(path))}
    return "\n".join(f"{where}: {_sentence(p, found, model)}" for p, found in problems.items() if p not in inside)


def _path(loc: tuple[int | str, ...]) -> tuple[str, ...]:
    """The key's path, without pydantic's names for the alternatives of a value."""
    kinds = ("str", "int", "float", "bool")
    return tuple(
        str(part)
        for n, part in enumerate(loc)
        if not (n > 1 and str(part).startswith(("function-", "list["))) and not (n > 2 and part in kinds)
    )


def _sentence(path: tuple[str, ...], problems: list[dict[str, Any]], model: type[BaseModel]) -> str:
    key = path[0] if len(path) == 1 else f"[{path[0]}] {'.'.join(path[1:])}" if path else ""
    kind = problems[0]["type"]
    if kind == "extra_forbidden":
        known = _known_keys(model, path[:-1])
        near = difflib.get_close_matches(path[-1], known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; these are: {', '.join(known)}." if known else "."
        return f"{key} is not a known key{hint}"
    messages = list(dict.fromkeys(problem["msg"].removeprefix("Value error, ") for problem in problems))
    if kind == "value_error" and len(path) == 1:
        return f"[{key}] {messages[0]}."
    words = ", or ".join(message[0].lower() + message[1:] for message in messages)
    return f"{key}: {words}; found {problems[0]['input']!r}."


def _known_keys(model: type[BaseModel], path: tuple[str, ...]) -> list[str]:
    for part in path:
        field = model.model_fields.get(part)
        if field is None or not isinstance(field.annotation, type) or not issubclass(field.annotation, BaseModel):
            return []
        model = field.annotation
    return list(model.model_fields)
