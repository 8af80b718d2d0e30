"""The OpenAPI document: what the code declares, and what only the attached database knows."""

from __future__ import annotations

from typing import Any

from data import database as databases
from data.errors import EvenbooksError
from data.schema import FormField
from web.shapes import Failed

BEARER = {"type": "http", "scheme": "bearer", "description": "A token of `python -m data.tokens add`."}


def describe(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the tokens, and with the fields of a new customer as this shop has them."""
    parts = document["components"]
    failed = Failed.model_json_schema(ref_template="#/components/schemas/{model}")
    own = {**failed.pop("$defs"), "Failed": failed, "NewCustomer": _new_customer(parts["schemas"]["NewCustomer"])}
    return {
        **document,
        "components": {
            **parts,
            "securitySchemes": {"bearer": BEARER},
            "schemas": {**parts["schemas"], **own},
        },
    }


def _new_customer(general: dict[str, Any]) -> dict[str, Any]:
    """The Add form's fields; without a database, those that any shop may have."""
    try:
        fields = databases.default().schema.form_fields
    except EvenbooksError:
        names = {"^name[1-9][0-9]*$": {"type": "string"}}
        return {**general, "patternProperties": names, "additionalProperties": False}
    reason = {"reason": general["properties"]["reason"]}
    return {
        "title": general["title"],
        "description": "The fields of Add New Customer in this shop, and why.",
        "type": "object",
        "properties": {**{field.key: _describe_field(field) for field in fields}, **reason},
        "required": [field.key for field in fields if field.required],
        "additionalProperties": False,
    }


def _describe_field(field: FormField) -> dict[str, Any]:
    longest = {} if field.max_length is None else {"maxLength": field.max_length}
    shortest = {"minLength": 1} if field.required else {}
    form: dict[str, Any] = {"format": "email"} if field.key == "email" else {}
    if form and not field.required:
        form = {"anyOf": [form, {"maxLength": 0}]}  # an empty text is taken for none
    return {
        "title": field.label,
        "type": "string" if field.required else ["string", "null"],
        **shortest,
        **longest,
        **form,
    }
