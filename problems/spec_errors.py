"""Turns what pydantic finds wrong with a YAML file into complaints with places and advice."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from problems import strict
from problems.complaints import Complaint, nearest
from problems.schema import ProblemSpec
from problems.strict_yaml import Document, Location

_WANTED = {
    "bool_type": "true or false",
    "dict_type": "a mapping",
    "enum": "one of the allowed values",
    "float_type": "a number",
    "int_from_float": "a whole number",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_attributes_type": "a mapping",
    "model_type": "a mapping",
    "string_type": "text",
    "uuid_parsing": "a UUID",
    "uuid_type": "a UUID",
}
_BOUNDS = {
    "greater_than": ("greater than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}

# What a word that is no slug is made of, by its pattern.
_SLUG = "small letters and digits with single hyphens between"
_PATTERNS = {
    r"^[a-z][a-z0-9_]*$": "small letters, digits and underscores, a letter first",
    r"^[A-Za-z0-9][A-Za-z0-9_.-]*$": "letters, digits, hyphens, dots and underscores",
}

_NUMBER = re.compile(r"[-+]?[0-9.]+([eE][-+]?[0-9]+)?")


def complaints_about(
    error: ValidationError,
    document: Document,
    path: str,
    model: type[BaseModel] = ProblemSpec,
) -> Iterator[Complaint]:
    """One complaint for each thing wrong with a file that should hold a `model`, in no order.

    A value that the reader has complained about already is passed over.
    """
    said = {fault.position for fault in document.faults}
    for detail in error.errors(include_url=False):
        for location, message, of_key in _explain(detail, document.value, path, model):
            position = document.position(location, of_key=of_key)
            if document.values.get(location) not in said:
                yield Complaint(path, position.line, position.column, message)


def _explain(
    detail: ErrorDetails, value: Any, path: str, model: type[BaseModel]
) -> Iterator[tuple[Location, str, bool]]:
    """(location, message, whether the key is meant and not what it holds)."""
    location = _written_location(detail["loc"], value)
    match detail["type"]:
        case strict.CONTRADICTION:
            for place, message in detail["ctx"]["found"]:
                yield (*location, *place), message, False
        case "extra_forbidden":
            yield location, _unknown_key(detail["loc"], str(location[-1]), model), True
        case "missing":
            parent = location[:-1]
            whole = _name(parent) or path.rsplit("/", 1)[-1]
            yield parent, f"{whole} must have {location[-1]}, it has none; add it", True
        case "union_tag_not_found" | "union_tag_invalid":
            got = detail["input"]
            kind = got.get("kind") if isinstance(got, dict) else got
            allowed = _kinds_at(detail["loc"], model)
            rule = f"{_name(location)}.kind must be one of {', '.join(allowed)};"
            if kind is None:
                yield location, f"{rule} it has none; add it", True
            else:
                here = (*location, "kind")
                yield here, f"{rule} got {_show(kind)}; {_advice(kind, allowed)}", False
        case _:
            yield location, _about_value(detail, _name(location)), False


def _about_value(detail: ErrorDetails, name: str) -> str:
    """What is wrong with a value that stands where it should."""
    got, context, kind = detail["input"], detail.get("ctx", {}), detail["type"]
    if kind in _BOUNDS:
        relation, key = _BOUNDS[kind]
        return f"{name} must be {relation} {context[key]:g}, got {_show(got)}; change it"
    match kind:
        case "literal_error" | "enum":
            allowed = str(context["expected"]).replace("'", "").replace(" or ", ", ")
            rule = f"one of {allowed};" if ", " in allowed else f"{allowed},"
            return f"{name} must be {rule} got {_show(got)}; {_advice(got, allowed.split(', '))}"
        case "string_pattern_mismatch":
            rule = _PATTERNS.get(context["pattern"], _SLUG)
            return f"{name} must be {rule}, got {_show(got)}; rename it"
        case "string_too_short":
            return f"{name} must not be empty; write it or remove the key"
        case "string_too_long":
            most = context["max_length"]
            return f"{name} must have at most {most} characters, got {len(got)}; shorten it"
        case "too_short":
            least, number = context["min_length"], context["actual_length"]
            return f"{name} must hold at least {least} of them, got {number}; add more"
        case _ if kind in _WANTED:
            return f"{name} must be {_WANTED[kind]}, got {_show(got)}; {_cure(kind, got)}"
        case _:
            return f"{name}: {detail['msg']}, got {_show(got)}; correct it"


def _written_location(location: Location, value: Any) -> Location:
    """The location without what pydantic adds to it: the tags of unions.

    The last part stays even where nothing is written, as it names a missing key.
    """
    written: list[str | int] = []
    for index, part in enumerate(location):
        is_last = index == len(location) - 1
        if isinstance(value, dict | list) and part in _parts(value):
            value = value[part]  # type: ignore[index]
        elif not is_last or part in kinds():
            continue
        written.append(part)
    return tuple(written)


def _parts(value: dict[str, Any] | list[Any]) -> Collection[str | int]:
    return value.keys() if isinstance(value, dict) else range(len(value))


def _unknown_key(location: Location, key: str, model: type[BaseModel]) -> str:
    known = _keys_at(location[:-1], model)
    meant = nearest(key, known)
    advice = f"did you mean {meant}?" if meant else f"the keys here are {', '.join(known)}"
    return f"keys must be known to the format, {key} is not; {advice}"


def _keys_at(location: Location, model: type[BaseModel]) -> list[str]:
    """The keys of the model at a location of pydantic's."""
    return [key for one in _models_at(location, model) for key in one.model_fields]


def _kinds_at(location: Location, model: type[BaseModel]) -> list[str]:
    """The kinds that may be chosen from at a location of pydantic's."""
    models = _models_at(location, model)
    return list(dict.fromkeys(_kind(one) for one in models if "kind" in one.model_fields))


def _models_at(location: Location, model: type[BaseModel]) -> list[type[BaseModel]]:
    """The models at a location, from the outermost `model`; several if unsure which is meant."""
    models: list[type[BaseModel]] = [model]
    for part in location:
        fields = [model.model_fields[part] for model in models if part in model.model_fields]
        if fields:
            models = [model for field in fields for model in _models(field.annotation)]
        elif part in kinds():
            models = [model for model in models if part == _kind(model)]
    return models


def _models(annotation: Any) -> list[type[BaseModel]]:
    """The models that an annotation is made of, inside lists, dicts and unions too."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for part in get_args(annotation) for model in _models(part)]


def kinds() -> list[str]:
    """The kinds of grader."""
    return [_kind(model) for model in _models(ProblemSpec.model_fields["grader"].annotation)]


def _kind(model: type[BaseModel]) -> str:
    return str(get_args(model.model_fields["kind"].annotation)[0])


def _name(location: Location) -> str:
    parts = [f"[{part}]" if isinstance(part, int) else f".{part}" for part in location]
    return "".join(parts).removeprefix(".")


def _show(got: Any) -> str:
    """A value as its author sees it, with its type where that is the point."""
    match got:
        case None:
            return "nothing"
        case bool():
            return f"the boolean {str(got).lower()}"
        case str():
            return f'the text "{got if len(got) <= 40 else got[:40] + "..."}"'
        case dict():
            return "a mapping"
        case list():
            return "a list"
        case _:
            return str(got)


def _advice(got: Any, allowed: list[str]) -> str:
    meant = nearest(str(got), allowed)
    if meant:
        return f"did you mean {meant}?"
    return "choose one" if len(allowed) > 1 else "change it"


def _cure(kind: str, got: Any) -> str:
    if kind.startswith("uuid"):
        return "make one with: python3 -c 'import uuid; print(uuid.uuid4())'"
    if kind == "string_type" and isinstance(got, int | float):
        return "put it in quotes"
    if got is None:
        return "write it or remove the key"
    if isinstance(got, str) and kind == "bool_type":
        return "remove the quotes" if got in ("true", "false") else "write true or false"
    if isinstance(got, str) and kind in ("int_type", "float_type"):
        if _NUMBER.fullmatch(got.strip()):
            return "remove the quotes"
        return "write it without words or units, the unit is in the key's name"
    if isinstance(got, float) and kind in ("int_type", "int_from_float"):
        return "write it without a point"
    return "change it"
