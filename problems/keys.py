"""Every key of the format as a Markdown page, made from the schema: ``python -m problems.keys``.

The page is `problems/KEYS.md`. A test holds it against the schema, so it can be neither incomplete
nor out of date, and the editor shows the same texts beside the keys.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from problems.schema import SingleFileSpec
from problems.strict import Slug

PAGE = Path(__file__).with_name("KEYS.md")

_HEAD = """\
# Keys of problem.yaml

Made from `problems/schema.py` and `problems/sections` by `python -m problems.keys`; correct the
texts there. What the kinds of grader are, how formulas and units are written and what a case's
input holds stands in `problems/README.md`.
"""

_BOUNDS = (
    ("minimum", "at least {}"),
    ("exclusiveMinimum", "more than {}"),
    ("maximum", "at most {}"),
    ("exclusiveMaximum", "less than {}"),
    ("minItems", "at least {} of them"),
    ("maxItems", "at most {} of them"),
    ("maxLength", "at most {} characters"),
)
_SLUG = TypeAdapter(Slug).json_schema()["pattern"]
_TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "`true` or `false`",
    "object": "mapping",
}


def page() -> str:
    """The whole page."""
    schema = dict(_schema())
    models = schema.pop("$defs")
    sections = ["\n".join(_section("A problem", schema))]
    for name in sorted(_used(schema, models), key=list(models).index):
        if "properties" in models[name]:
            sections.append("\n".join(_section(_heading(name), models[name])))
    return _HEAD + "\n" + "\n\n".join(sections) + "\n"


@cache
def _schema() -> Mapping[str, Any]:
    return SingleFileSpec.model_json_schema()


def _section(heading: str, model: Mapping[str, Any]) -> Iterator[str]:
    yield f"## {heading}"
    yield ""
    yield _paragraph(model.get("description", ""))
    yield ""
    yield "| key | what it is | default | what it holds |"
    yield "| --- | --- | --- | --- |"
    required = model.get("required", [])
    for key, field in model["properties"].items():
        default = "must be given" if key in required else _default(field.get("default"))
        yield f"| `{key}` | {_words(field)} | {default} | {_line(field.get('description', ''))} |"


def _default(value: Any) -> str:
    if value is None:
        return "none"
    return f"`{json.dumps(value, ensure_ascii=False)}`" if value not in ([], {}) else "empty"


def _words(field: Mapping[str, Any]) -> str:
    """What a value must be, with its bounds."""
    bounds = [words.format(f"{field[key]:g}") for key, words in _BOUNDS if key in field]
    return ", ".join([_kind(field), *bounds])


def _kind(field: Mapping[str, Any]) -> str:
    if "$ref" in field:
        return _reference(field["$ref"].rsplit("/", 1)[1])
    for combination in ("oneOf", "anyOf", "allOf"):
        if combination in field:
            parts = [_kind(one) for one in field[combination] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(parts))
    if "const" in field:
        return f"`{field['const']}`"
    if "enum" in field:
        return ", ".join(f"`{value}`" for value in field["enum"])
    if field.get("type") == "array":
        return f"list of: {_words(field['items'])}"
    if field.get("pattern") == _SLUG:
        return "slug"
    if field.get("format") == "uuid":
        return "UUID"
    inside = field.get("additionalProperties")
    if isinstance(inside, dict):
        return f"mapping to: {_words(inside)}"
    return _TYPES.get(field.get("type", ""), "anything")


def _reference(name: str) -> str:
    model = _schema()["$defs"][name]
    if "enum" in model:
        return ", ".join(f"`{value}`" for value in model["enum"])
    heading = _heading(name)
    return f"[{heading}](#{heading.lower().replace(' ', '-')})"


def _heading(name: str) -> str:
    """``Follow up`` for FollowUp; with its section where two of them have a model of that name."""
    *modules, model = name.split("__")
    words = re.sub(r"(?<!^)(?=[A-Z])", " ", model).capitalize()
    return f"{words} of {modules[-1]}" if modules else words


def _used(schema: Any, models: Mapping[str, Any]) -> set[str]:
    """The models that a schema refers to, and those that these refer to."""
    names = {
        name.rsplit("/", 1)[1] for name in re.findall(r'"\$ref": "([^"]+)"', json.dumps(schema))
    }
    return names.union(*(_used(models[name], models) for name in names))


def _line(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _paragraph(text: str) -> str:
    return "\n".join(line.replace("``", "`") for line in text.splitlines())


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
