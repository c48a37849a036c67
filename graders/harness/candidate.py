"""The candidate's own code inside its sandbox: read once, executed afresh for each call, explained.

What one call leaves behind in the module must not help or harm the next, or a replay of one
counterexample would see something else than the judge did.
"""

from __future__ import annotations

import contextlib
import linecache
import sys
import traceback
import types
from collections.abc import Callable
from typing import Any

from graders.harness import wire
from graders.text import Text, say, to_json

FILE_NAME = "submission.py"
TRACEBACK_CHARACTERS = 4000


def read() -> types.CodeType:
    """Compile the submission; its lines are kept, so that a traceback can show them.

    Raises
    ------
    Exception
        Whatever Python says about a source that is no program.
    """
    with open(FILE_NAME, "rb") as file:
        source = file.read()
    lines = source.decode("utf-8", "replace").splitlines(keepends=True)
    linecache.cache[FILE_NAME] = (len(source), None, lines, FILE_NAME)
    return compile(source, FILE_NAME, "exec", dont_inherit=True)


def load(code: types.CodeType, entry_point: str) -> Callable[..., Any]:
    """Execute the submission as a new module and give its entry point.

    Raises
    ------
    NameError, TypeError
        If there is no such name, or it is no function.
    BaseException
        Whatever the submission raises.
    """
    module = types.ModuleType("submission")
    module.__file__ = FILE_NAME
    sys.modules["submission"] = module  # dataclasses look their module up there
    exec(code, module.__dict__)  # noqa: S102  running the submission is what this file is for
    if entry_point not in module.__dict__:
        raise NameError(
            say(
                "the submission must define {entry_point}, and no such name is there",
                entry_point=entry_point,
            )
        )
    function = module.__dict__[entry_point]
    if not callable(function):
        kind = type(function).__name__[:80]
        raise TypeError(
            say(
                "{entry_point} must be a function, got {kind}: define it with def",
                entry_point=entry_point,
                kind=kind,
            )
        )
    return function  # type: ignore[no-any-return]


def prepare(entry_point: str) -> types.CodeType | None:
    """Compile and execute the submission once, and tell the grader whether that works.

    Returns
    -------
    types.CodeType or None
        What `load` executes; None where the grader was told why it fails.
    """
    try:
        code = read()
        load(code, entry_point)
    except BaseException as error:
        wire.write_answer({"type": "failed", **explain(error)})
        return None
    wire.write_answer({"type": "ready"})
    return code


def serve(
    answer: Callable[[dict[str, Any], list[bytes]], tuple[dict[str, Any], list[bytes]]],
    number: str,
) -> None:
    """Answer one request after the other until hung up on.

    Parameters
    ----------
    answer : callable
        Takes a request and its blobs, gives an answer and the blobs that go with it.
    number : str
        The key of a request that its answer repeats.
    """
    while (request := wire.read_request()) is not None:
        message, _ = request
        answered, blobs = answer(*request)
        with contextlib.suppress(Exception):  # the submission may have put anything there
            sys.stdout.flush()  # what was printed is told with the call that printed it
        wire.write_answer({**answered, number: message[number]}, *blobs)


def explain(error: BaseException) -> dict[str, Any]:
    """The exception with the candidate's own lines only: line, error, message, traceback.

    The message of an exception that the harness raised is a sentence as `graders.text` writes it.
    """
    summary = traceback.TracebackException.from_exception(error)
    seen: traceback.TracebackException | None = summary
    while seen is not None:
        own = [frame for frame in seen.stack if frame.filename == FILE_NAME]
        seen.stack = traceback.StackSummary.from_list(own)
        seen = seen.__cause__ or seen.__context__
    lines = [frame.lineno for frame in summary.stack]
    return {
        "line": lines[-1] if lines else None,
        "error": type(error).__name__,
        "message": _message(error, summary),
        "traceback": "".join(summary.format())[-TRACEBACK_CHARACTERS:],
    }


def _message(error: BaseException, summary: traceback.TracebackException) -> Any:
    fact = error.args[0] if error.args else None
    if isinstance(fact, Text):
        return to_json(say("{error}: {fact}", error=type(error).__name__, fact=fact))
    return "".join(summary.format_exception_only()).strip()[-TRACEBACK_CHARACTERS:]
