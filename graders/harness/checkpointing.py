"""One rank that saves checkpoints step by step, or a restart that restores them.

Run as ``python -m graders.harness.checkpointing ENTRY_POINT`` beside a file ``submission.py``. A
save is a generator: each operation that it yields goes to the grader, which owns the disk and
decides who goes on next. The program that restores is another one than those that saved, so that
nothing but the disk can carry a state over.
"""

from __future__ import annotations

import operator
import os
import sys
import types
from collections.abc import Generator
from typing import Any

# One thread a process is all that the sandbox allows, and numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from graders.harness import candidate
from graders.text import Text, say, to_json


class Disk:
    """What a crash left: files by name, read only."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self._files = files

    def list(self) -> list[str]:
        """The names of all files, sorted."""
        return sorted(self._files)

    def read(self, name: str) -> bytes:
        """A whole file; FileNotFoundError if there is none of that name."""
        if name not in self._files:
            raise FileNotFoundError(name)
        return self._files[name]


class Malformed(Exception):
    """What was yielded or returned is nothing that the rules know; `fault` says why."""

    def __init__(self, fault: Text) -> None:
        super().__init__(fault)
        self.fault = fault


class _Rank:
    """A rank's object and the save that it is in."""

    def __init__(self, code: types.CodeType, entry_point: str) -> None:
        self._code = code
        self._entry_point = entry_point
        self._object: Any = None
        self._save: Generator[Any, Any, Any] | None = None
        self._state = bytearray()
        self._resumed = False

    def begin(self, message: dict[str, Any], state: bytes) -> tuple[dict[str, Any], bytes]:
        if message["fresh"]:
            made = candidate.load(self._code, self._entry_point)
            self._object = made(message["rank"], message["n_ranks"])
        self._state = bytearray(state)
        self._resumed = False
        save = self._object.save(message["step"], self._state)
        if not isinstance(save, Generator):
            raise Malformed(
                say(
                    "save must be a generator that yields its operations, got {kind}",
                    kind=type(save).__name__,
                )
            )
        self._save = save
        return self._advance(None)

    def go_on(self, message: dict[str, Any], blob: bytes) -> tuple[dict[str, Any], bytes]:
        if self._resumed:
            # Training goes on and writes into its state: what was not copied by now is lost.
            self._state[:] = bytes(byte ^ 0xFF for byte in self._state)
            self._resumed = False
        result = message.get("result")
        return self._advance(blob if result == "blob" else result)

    def _advance(self, result: Any) -> tuple[dict[str, Any], bytes]:
        assert self._save is not None  # noqa: S101  the grader begins before it goes on
        try:
            yielded = self._save.send(result)
        except StopIteration:
            return {"ended": True}, b""
        op, data = _operation(yielded)
        self._resumed = op[0] == "resume"
        return {"op": op}, data


def _operation(yielded: Any) -> tuple[list[str], bytes]:
    """The operation's name and file names, and the bytes to write."""
    if not isinstance(yielded, tuple) or not yielded or not isinstance(yielded[0], str):
        raise Malformed(
            say(
                'an operation must be a tuple such as ("fsync", name), got {got}',
                got=f"{yielded!r:.80}",
            )
        )
    data = b""
    parts = list(yielded)
    if parts[0] == "write" and len(parts) == 3:
        if not isinstance(parts[2], bytes | bytearray | memoryview):
            kind = type(parts[2]).__name__
            raise Malformed(say("write takes bytes, got {kind}", kind=kind))
        data = bytes(parts.pop())
    if not all(isinstance(part, str) for part in parts):
        raise Malformed(say("file names must be str, got {got}", got=f"{yielded!r:.80}"))
    return [str(part)[:200] for part in parts[:4]], data


def _restored(code: types.CodeType, entry_point: str, rank: int, n_ranks: int, disk: Disk) -> Any:
    """``[step, state as hex]``, None, or how it failed."""
    try:
        found = candidate.load(code, entry_point)(rank, n_ranks).restore(disk)
        if found is None:
            return None
        if not isinstance(found, tuple | list) or len(found) != 2:
            got = f"{found!r:.80}"
            raise Malformed(say("restore must return (step, state) or None, got {got}", got=got))
        step, state = found
        if not isinstance(state, bytes | bytearray | memoryview):
            kind = type(state).__name__
            raise Malformed(say("the state must be bytes, got {kind}", kind=kind))
        return [operator.index(step), bytes(state).hex()]
    except Malformed as malformed:
        return {"malformed": to_json(malformed.fault)}
    except BaseException as error:
        return {"raised": candidate.explain(error)}


def _restore(
    code: types.CodeType, entry_point: str, message: dict[str, Any], blobs: list[bytes]
) -> dict[str, Any]:
    contents = iter(blobs)
    answers = []
    for names in message["images"]:
        disk = Disk({name: next(contents) for name in names})
        answers.append(
            [
                _restored(code, entry_point, rank, message["n_ranks"], disk)
                for rank in range(message["n_ranks"])
            ]
        )
    return {"restored": answers}


def main(entry_point: str) -> None:
    """Execute once to see whether it works, then serve one request after the other."""
    code = candidate.prepare(entry_point)
    if code is None:
        return
    rank = _Rank(code, entry_point)

    def answer(message: dict[str, Any], blobs: list[bytes]) -> tuple[dict[str, Any], list[bytes]]:
        data = b""
        try:
            if message["do"] == "restore":
                answered = _restore(code, entry_point, message, blobs)
            elif message["do"] == "begin":
                answered, data = rank.begin(message, blobs[0])
            else:
                answered, data = rank.go_on(message, blobs[0])
        except Malformed as malformed:
            answered = {"malformed": to_json(malformed.fault)}
        except BaseException as error:
            answered = {"raised": candidate.explain(error)}
        return answered, [data]

    candidate.serve(answer, "number")


if __name__ == "__main__":
    main(sys.argv[1])
