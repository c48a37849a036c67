"""Runs a package's own checker, in a sandbox that no submission ever enters.

Run as ``python -m graders.harness.checker MODULE`` beside the package's files. `MODULE` defines

``check(case_input, answer, seed) -> list[Item] | str``
    Compare an answer with the right one, item by item; a str is a complaint about the answer's
    shape (rule, then fact). Required. Texts said with `graders.text.say` can be translated.
``draw(case_input, seed) -> list[dict]``
    Expand a case that declares a generator into literal inputs, the same ones for the same seed.
    Only called for inputs with a key ``draw``.
``simpler(case_input) -> list[dict]``
    Inputs with one feature less, the most telling first; empty when nothing can be left out.
    The number of them is also how complex an input is. Optional.
"""

from __future__ import annotations

import dataclasses
import importlib
import sys
import traceback
from types import ModuleType
from typing import Any

from graders import text
from graders.harness import wire


def _serve(checker: ModuleType, request: dict[str, Any]) -> dict[str, Any]:
    case_input = request["input"]
    if request["do"] == "draw":
        return {"inputs": checker.draw(case_input, request["seed"])}
    if request["do"] == "simpler":
        simpler = getattr(checker, "simpler", None)
        return {"inputs": simpler(case_input) if simpler else []}
    said = checker.check(case_input, request["answer"], request["seed"])
    if isinstance(said, str):
        return {"complaint": text.to_json(said)}
    return {"items": [text.to_json(dataclasses.asdict(item)) for item in said]}


def main(module: str) -> None:
    """Serve one question a request until hung up on; a failure is told, never swallowed."""
    try:
        checker = importlib.import_module(module)
        wire.write_answer({"ready": True})
        while (request := wire.read_request()) is not None:
            wire.write_answer(_serve(checker, request[0]))
    except Exception:
        wire.write_answer({"failed": traceback.format_exc()[-8000:]})


if __name__ == "__main__":
    main(sys.argv[1])
