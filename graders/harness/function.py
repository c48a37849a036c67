"""Calls the function that a submission defines, once for each request.

Run as ``python -m graders.harness.function ENTRY_POINT`` beside a file ``submission.py``. Arguments
go in by name, because a JSON object promises no order.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

# One thread a process is all that the sandbox allows, and numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from graders.harness import candidate
from graders.text import Text, say, to_json

NESTING_LIMIT = 50


class NotJson(Exception):
    """The returned value cannot be written as JSON."""

    def __init__(self, fault: Text) -> None:
        super().__init__(fault)
        self.fault = fault


def plain(value: Any, path: str = "", depth: int = 0) -> Any:
    """The value as JSON has it; numpy scalars become plain numbers."""
    if depth > NESTING_LIMIT:
        raise NotJson(
            say(
                "the answer{path} must be nested {limit} levels at most",
                path=_shown(path),
                limit=NESTING_LIMIT,
            )
        )
    if isinstance(value, int) and value.bit_length() > 1023:
        raise NotJson(
            say(
                "the answer{path} must be less than 2**1023, got an int of {bits} bits",
                path=_shown(path),
                bits=value.bit_length(),
            )
        )
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, dict):
        for key in value:
            if not isinstance(key, str):
                raise NotJson(
                    say(
                        "the answer{path} must have str keys, got the key {key}",
                        path=_shown(path),
                        key=f"{key!r:.80}",
                    )
                )
        return {key: plain(one, f"{path}[{key!r:.80}]", depth + 1) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one, f"{path}[{i}]", depth + 1) for i, one in enumerate(value)]
    if getattr(value, "shape", None) == () and hasattr(value, "dtype"):
        return plain(value.item(), path, depth + 1)
    raise NotJson(
        say(
            "the answer{path} must be a dict, list, str, number, bool or None, got {kind}",
            path=_shown(path),
            kind=type(value).__name__[:80],
        )
    )


def _shown(path: str) -> str:
    return path if len(path) <= 80 else f"{path[:80]}..."


def _answer(code: types.CodeType, entry_point: str, arguments: dict[str, Any]) -> dict[str, Any]:
    try:
        returned = candidate.load(code, entry_point)(**arguments)
    except BaseException as error:
        return {"type": "raised", **candidate.explain(error)}
    try:
        return {"type": "returned", "answer": plain(returned)}
    except NotJson as error:
        return {"type": "no_json", "message": to_json(error.fault)}
    except BaseException as error:  # a subclass of dict or float can raise whatever it likes
        return {"type": "raised", **candidate.explain(error)}


def main(entry_point: str) -> None:
    """Execute once to see whether it works, then serve one call a request until hung up on."""
    code = candidate.prepare(entry_point)
    if code is not None:
        candidate.serve(
            lambda message, _: (_answer(code, entry_point, message["arguments"]), []), "call"
        )


if __name__ == "__main__":
    main(sys.argv[1])
