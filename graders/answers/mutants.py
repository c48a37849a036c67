"""Wrong worksheets made out of a right one: each answer moved by one step, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graders.answers.reading import Answers, read, written
from graders.mutants import STEP, Mutant, scaled


def of_answers(section: Mapping[str, Any], source: str) -> Iterator[Mutant]:
    """Mutants of a right worksheet: numbers 5 % up and down, doubled, other options.

    Parameters
    ----------
    section : mapping
        The grader's section of problem.yaml.
    source : str
        Right answers for one seed, without formulas.

    Raises
    ------
    Unreadable
        If the source holds no answers.
    """
    right = read(source)
    for field in section["fields"]:
        name = field["name"]
        for what, answer in _moved(field, right[name]):
            changed: Answers = {**right, name: answer}
            yield Mutant(f"{name}: {what}", written(changed), _missing(field))


def _missing(field: Mapping[str, Any]) -> str:
    if field["kind"] in ("number", "table"):
        return f"a case that judges {field['name']}, and a tolerance that is smaller than the step"
    return f"a case that judges {field['name']}"


def _moved(field: Mapping[str, Any], answer: Any) -> Iterator[tuple[str, Any]]:
    match field["kind"]:
        case "number":
            for factor in (1 - STEP, 1 + STEP, 2.0):
                yield _by(factor), scaled(answer, factor)
        case "table":
            for row in field["rows"]:
                for column in field["columns"]:
                    cells = answer[row["name"]]
                    for factor in (1 - STEP, 1 + STEP):
                        cell = scaled(cells[column["name"]], factor)
                        changed = {**answer, row["name"]: {**cells, column["name"]: cell}}
                        yield f"{row['name']}, {column['name']} {_by(factor)}", changed
        case "choice":
            for option in field["options"]:
                if option["name"] != answer:
                    yield f"{option['name']} in place of the right option", option["name"]
        case "set":
            for option in field["options"]:
                one = option["name"]
                if one in answer:
                    yield f"without {one}", [other for other in answer if other != one]
                else:
                    yield f"with {one}", [*answer, one]


def _by(factor: float) -> str:
    return f"times {factor:g}"
