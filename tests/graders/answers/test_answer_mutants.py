"""Each answer of a worksheet is moved by one step, one at a time."""

from __future__ import annotations

from graders.answers.mutants import of_answers
from graders.answers.reading import Answers, read

SECTION = {
    "fields": [
        {"kind": "number", "name": "weights"},
        {"kind": "choice", "name": "bound", "options": [{"name": "memory"}, {"name": "compute"}]},
        {"kind": "set", "name": "divided", "options": [{"name": "gradients"}, {"name": "weights"}]},
        {
            "kind": "table",
            "name": "zero",
            "rows": [{"name": "stage-1"}, {"name": "stage-2"}],
            "columns": [{"name": "state"}],
        },
    ]
}
RIGHT = """\
weights: 1.5e3 GB
bound: memory
divided: [gradients]
zero:
  stage-1: {state: 20 GB}
  stage-2: {state: 10 GB}
"""


def test_each_step_changes_one_answer_and_keeps_its_unit() -> None:
    right = read(RIGHT)
    changed: dict[str, Answers] = {}
    for mutant in of_answers(SECTION, RIGHT):
        now = read(mutant.source)
        (moved,) = [name for name in right if now[name] != right[name]]
        assert mutant.name.startswith(f"{moved}: ")
        assert moved in mutant.missing
        changed[mutant.name] = {moved: now[moved]}
    assert list(changed.values()) == [
        {"weights": "1425 GB"},
        {"weights": "1575 GB"},
        {"weights": "3000 GB"},
        {"bound": "compute"},
        {"divided": []},
        {"divided": ["gradients", "weights"]},
        {"zero": {"stage-1": {"state": "19 GB"}, "stage-2": {"state": "10 GB"}}},
        {"zero": {"stage-1": {"state": "21 GB"}, "stage-2": {"state": "10 GB"}}},
        {"zero": {"stage-1": {"state": "20 GB"}, "stage-2": {"state": "9.5 GB"}}},
        {"zero": {"stage-1": {"state": "20 GB"}, "stage-2": {"state": "10.5 GB"}}},
    ]
