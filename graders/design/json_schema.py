"""The fields of a design as a JSON Schema, for completion and hover help in an editor.

It describes, and decides nothing: whether a text is a design, `graders.design.reading` says.

References
----------
.. [1] JSON Schema 2020-12, https://json-schema.org/draft/2020-12/schema
"""

from __future__ import annotations

from graders.answers.quantities import units_for
from graders.design.fields import (
    Choice,
    Field,
    Flag,
    Group,
    Items,
    Number,
    Record,
    Shape,
    Whole,
    Words,
)
from graders.design.reading import wanted
from graders.text import say
from graders.verdict import JsonObject


def json_schema(groups: tuple[Group, ...]) -> JsonObject:
    """A schema of the whole design. Descriptions are sentences of `graders.text`."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "additionalProperties": False,
        "properties": {group.name: _group(group) for group in groups},
        "required": [
            group.name for group in groups if any(field.default is None for field in group.fields)
        ],
    }


def _group(group: Group) -> JsonObject:
    return {"title": group.label, "description": group.help, **_mapping(group.fields)}


def _mapping(fields: tuple[Field, ...]) -> JsonObject:
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {field.name: _field(field) for field in fields},
        "required": [field.name for field in fields if field.default is None],
    }


def _field(field: Field) -> JsonObject:
    schema: JsonObject = {
        "title": field.label,
        "description": _description(field),
        **_shape(field.shape),
    }
    return schema if field.default is None else {**schema, "default": field.default}


def _description(field: Field) -> str:
    """The help, with what the schema's own facts do not tell: units, and what words mean."""
    match field.shape:
        case Number(unit=unit) if unit.text:
            return say(
                "{help} It takes {wanted}; units that will do: {units}.",
                help=field.help,
                wanted=wanted(field.shape),
                units=units_for(unit),
            )
        case Choice(options) | Items(of=Choice(options)):
            words = "; ".join(f"{option.name}: {option.label}" for option in options)
            return f"{field.help} {words}."
        case _:
            return field.help


def _shape(shape: Shape) -> JsonObject:
    match shape:
        case Whole(least, most):
            return {"type": "integer", "minimum": least, "maximum": most}
        case Number(least, most, unit):
            # With a unit it is text to YAML; the bounds are then in the description.
            if unit.text:
                return {"type": "string"}
            return {"type": "number", "minimum": least, "maximum": most}
        case Choice(options):
            return {"type": "string", "enum": [option.name for option in options]}
        case Flag():
            return {"type": "boolean"}
        case Words(most):
            return {"type": "string", "maxLength": most}
        case Items(of, least, most):
            return {"type": "array", "items": _shape(of), "minItems": least, "maxItems": most}
        case Record(fields):
            return _mapping(fields)
