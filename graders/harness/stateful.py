"""Makes the object that a submission defines and calls its methods, many calls in one request.

Run as ``python -m graders.harness.stateful ENTRY_POINT`` beside a file ``submission.py``. A request
with ``make`` executes the submission afresh and makes a new object; one without goes on with the
object that is there. Calls end at the first that raises or returns what is no JSON: from there on
the object's state says nothing. Each answer is written down before the next call, because an object
may go on changing a list that it has given away.
"""

from __future__ import annotations

import os
import sys
import types
from typing import Any

# One thread a process is all that the sandbox allows, and numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from graders.harness import candidate
from graders.harness.function import NotJson, plain
from graders.text import to_json


class _Served:
    """One submission with the object that was last made of it."""

    def __init__(self, code: types.CodeType, entry_point: str) -> None:
        self._code = code
        self._entry_point = entry_point
        self._object: Any = None

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        answers: list[Any] = []
        doing = self._entry_point
        try:
            if "make" in message:
                self._object = None  # the old one's memory goes before the new one's is taken
                self._object = candidate.load(self._code, self._entry_point)(**message["make"])
            for method, arguments in message["calls"]:
                doing = method
                answers.append(plain(getattr(self._object, method)(*arguments)))
        except NotJson as error:
            return {"answers": answers, "no_json": to_json(error.fault)}
        except BaseException as error:
            return {"answers": answers, "raised": candidate.explain(error), "doing": doing}
        return {"answers": answers}


def main(entry_point: str) -> None:
    """Execute once to see whether it works, then serve one request after the other."""
    code = candidate.prepare(entry_point)
    if code is not None:
        served = _Served(code, entry_point)
        candidate.serve(lambda message, _: (served.answer(message), []), "number")


if __name__ == "__main__":
    main(sys.argv[1])
