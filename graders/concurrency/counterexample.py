"""A failing execution as the page draws it: threads as columns, steps as rows, operations above.

The data of the kind ``interleaving``, which any grader may make:

- ``threads``: ``{"number", "name"}`` of each column, in order;
- ``operations``: ``{"thread", "text", "answer", "wrong", "first_step", "last_step"}``, the history
  as the object's callers saw it; ``last_step`` is null for a call that never returned;
- ``steps``: ``{"thread", "text", "line", "wrong", "stale", "switch"}`` and, where it applies,
  ``note`` (what is remarkable about it), ``repeats`` (how often in a row), ``place``, ``read``,
  ``written``, ``order``;
  ``line`` is a number of a line in ``source``, or null for the caller's own code;
- ``source``: ``{"number", "text"}``, the lines to show beside the steps;
- ``failure``, ``context_switches``, ``scenario``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from graders.concurrency.program import TORN, UNTOUCHED
from graders.concurrency.results import Failure
from graders.text import say
from graders.verdict import Counterexample, Json, JsonObject

MAX_SOURCE_LINES = 400
_CONTEXT_LINES = 3
_ENDLESS = frozenset({"stuck", "endless_loop", "blocking", "stalls", "lock_free"})

Names = Callable[[str], str]  # "queue+64" -> the field there


def interleaving(
    failure: Failure,
    message: str,
    source: str,
    lines: Mapping[str, int],
    names: Names,
    methods: Mapping[str, str],
    replay: JsonObject,
    suspended_after: int | None = None,
) -> Counterexample:
    """The counterexample of a failure.

    Parameters
    ----------
    lines : mapping
        Program counter -> line of the submission.
    methods : mapping
        The structure's name of each operation -> the submission's.
    suspended_after : int, optional
        Of a progress class: how many steps `failure.thread` did before it was suspended.
    """
    teller = _Teller(failure, lines, names, methods)
    steps = teller.steps(suspended_after)
    told = [*dict.fromkeys(step["thread"] for step in steps)]
    threads: list[Json] = [
        {"number": number, "name": _thread_name(number)} for number in sorted(told)
    ]
    shown = {step["line"] for step in steps if step["line"] is not None}
    if failure.pc is not None and failure.pc in lines:
        shown.add(lines[failure.pc])
    data: JsonObject = {
        "scenario": failure.scenario,
        "failure": failure.kind,
        "context_switches": failure.context_switches,
        "threads": threads,
        "operations": teller.operations(steps),
        "steps": [*steps],
        "source": _excerpt(source, shown),
    }
    return Counterexample("interleaving", message, data, replay)


def _thread_name(number: int) -> str:
    return say("Thread {number}", number=number) if number else say("Before and after")


def _excerpt(source: str, shown: set[Any]) -> list[Json]:
    lines = source.splitlines()
    keep = range(1, len(lines) + 1)
    if len(lines) > MAX_SOURCE_LINES:
        near = {
            number + offset
            for number in shown
            for offset in range(-_CONTEXT_LINES, _CONTEXT_LINES + 1)
        }
        return [{"number": n, "text": lines[n - 1]} for n in keep if n in near]
    return [{"number": n, "text": lines[n - 1]} for n in keep]


class _Teller:
    def __init__(
        self,
        failure: Failure,
        lines: Mapping[str, int],
        names: Names,
        methods: Mapping[str, str],
    ) -> None:
        self._failure = failure
        self._lines = lines
        self._names = names
        self._methods = methods
        self._blocks: dict[int, str] = {}
        for operation in failure.operations:
            if operation["action"] == "allocate" and operation["result"]:
                self._blocks.setdefault(operation["result"], f"b{len(self._blocks) + 1}")

    def steps(self, suspended_after: int | None) -> list[dict[str, Any]]:
        """What each thread did, in order; a call and a return are steps too."""
        steps: list[dict[str, Any]] = []
        previous = None
        for step in self._failure.steps:
            told = self._step(step)
            told["switch"] = previous is not None and step["thread"] != previous
            anyway = {"switch": False, "repeats": 1}
            if steps and {**steps[-1], **anyway} == {**told, **anyway}:
                # A loop that looks again and again is one step to a reader.
                steps[-1]["repeats"] = steps[-1].get("repeats", 1) + 1
                continue
            previous = step["thread"]
            steps.append(told)
        if suspended_after is not None:
            self._mark_suspension(steps)
        return steps

    def _mark_suspension(self, steps: list[dict[str, Any]]) -> None:
        own = [i for i, step in enumerate(steps) if step["thread"] == self._failure.thread]
        at = own[-1] + 1 if own else 0
        steps.insert(
            at,
            {
                "thread": self._failure.thread,
                "text": say("is suspended here for ever"),
                "line": steps[own[-1]]["line"] if own else None,
                "wrong": True,
                "stale": False,
                "switch": False,
                "what": "suspended",
            },
        )

    def _step(self, step: Mapping[str, Any]) -> dict[str, Any]:
        told: dict[str, Any] = {
            "thread": step["thread"],
            "what": step["what"],
            "line": self._lines.get(step.get("pc", "")),
            "wrong": bool(step.get("part_of_failure")),
            "stale": bool(step.get("stale")),
        }
        for key in ("order", "read", "written", "operation"):
            if key in step:
                told[key] = step[key]
        if "place" in step:
            told["place"] = self._names(step["place"])
        told["text"] = self._text(step, told.get("place", ""))
        if note := self._note(step):
            told["note"] = note
        return told

    def _text(self, step: Mapping[str, Any], place: str) -> str:
        read, written, order = (str(step.get(key, "")) for key in ("read", "written", "order"))
        match step["what"]:
            case "call":
                return say("calls {call}", call=self._call(step["operation"]))
            case "return":
                return say(
                    "{call} answers {answer}",
                    call=self._call(step["operation"]),
                    answer=self._answer(step["operation"]),
                )
            case "load":
                return say("{place} is read: {read} ({order})", place=place, read=read, order=order)
            case "store":
                return say(
                    "{place} = {written} ({order})", place=place, written=written, order=order
                )
            case "exchange":
                return say(
                    "{place}: {read} becomes {written} ({order})",
                    place=place, read=read, written=written, order=order,
                )  # fmt: skip
            case "compare_exchange" if step.get("succeeded"):
                return say(
                    "{place}: compared with {read}, equal, becomes {written} ({order})",
                    place=place, read=read, written=written, order=order,
                )  # fmt: skip
            case "compare_exchange":
                return say(
                    "{place}: compare-exchange fails, it reads {read} ({order})",
                    place=place, read=read, order=order,
                )  # fmt: skip
            case "fence":
                return say("fence ({order})", order=order)
            case "lock" if step.get("blocked"):
                return say("{place}: waits for the mutex", place=place)
            case "lock":
                return say("{place} is locked", place=place)
            case "try_lock" if written:
                return say("{place} is locked", place=place)
            case "try_lock":
                return say("{place} is locked already", place=place)
            case "unlock":
                return say("{place} is unlocked", place=place)
            case "wait":
                return say("{place}: waits for a notification", place=place)
            case "notify":
                return say("{place}: notifies", place=place)
            case "plain read":
                return say("{place} is read, not atomically", place=place)
            case "plain write":
                return say("{place} is written, not atomically", place=place)
        return str(step["what"])

    def _note(self, step: Mapping[str, Any]) -> str:
        if step.get("stale") and "missed" in step:
            return say(
                "stale: thread {thread} has stored {value} by now, and nothing makes this thread "
                "see it",
                thread=step["missed_thread"],
                value=step["missed"],
            )
        if step.get("stale"):
            return say("stale: a newer value has been stored by now")
        if step.get("spurious"):
            return say("a weak compare-exchange may fail although the value is the expected one")
        if step.get("blocked") and step["what"] not in ("lock", "wait"):
            return say("waits for another value, round after round")
        return ""

    def _call(self, index: int) -> str:
        operation = self._failure.operations[index]
        name = self._methods.get(operation["action"], operation["action"])
        match operation["action"]:
            case "push" | "write":
                return f"{name}({operation['argument']})"
            case "release":
                return f"{name}({self._blocks.get(operation['argument'], '?')})"
        return f"{name}()"

    def _answer(self, index: int) -> str:
        operation = self._failure.operations[index]
        if not operation["finished"] and self._failure.kind in _ENDLESS:
            return say("nothing: it never returns")
        if not operation["finished"]:
            return say("nothing yet: the execution ends here")
        match operation["action"]:
            case "push":
                return say("true") if operation["succeeded"] else say("false: full")
            case "pop" if not operation["succeeded"]:
                return say("false: empty")
            case "pop" if operation["result"] == TORN:
                return say("words that are not one item's")
            case "pop" if operation["result"] == UNTOUCHED:
                return say("true, without an item")
            case "read" if not operation["succeeded"]:
                return say("false: try again")
            case "read" if operation["result"] == TORN:
                return say("words of two writes")
            case "allocate" if not operation["succeeded"]:
                return say("no block")
            case "allocate":
                return self._blocks.get(operation["result"], "?")
            case "write" | "release":
                return say("done")
        return str(operation["result"])

    def operations(self, steps: Sequence[Mapping[str, Any]]) -> list[Json]:
        """The history, with the calls that break the rule marked."""
        wrong = _wrong_operations(self._failure)
        told: list[Json] = []
        for index, operation in enumerate(self._failure.operations):
            own = [i for i, step in enumerate(steps) if step.get("operation") == index]
            told.append(
                {
                    "thread": operation["thread"],
                    "text": self._call(index),
                    "answer": self._answer(index),
                    "wrong": index in wrong,
                    "first_step": own[0] if own else None,
                    "last_step": own[-1] if own and operation["finished"] else None,
                }
            )
        return told


def _wrong_operations(failure: Failure) -> set[int]:
    """Indices of the operations whose answers break the rule."""
    operations = list(enumerate(failure.operations))
    answered = [(i, o) for i, o in operations if o["finished"]]
    pushed = {o["argument"] for _, o in operations if o["action"] == "push"}
    popped = [o["result"] for _, o in answered if o["action"] == "pop" and o["succeeded"]]
    match failure.kind:
        case "requirement" if mine := [
            i for i, o in answered if o["action"] == "pop" and o["thread"] == failure.thread
        ]:
            return {mine[-1]}
        case "duplicate":
            return {
                i
                for i, o in answered
                if o["action"] == "pop" and o["succeeded"] and popped.count(o["result"]) > 1
            }
        case "invented":
            return {
                i
                for i, o in answered
                if o["action"] == "pop" and o["succeeded"] and o["result"] not in pushed
            }
        case "torn":
            return {i for i, o in answered if o["action"] == "read" and o["result"] == TORN}
        case "wrong_value":
            return {i for i, o in answered if o["action"] == "read" and o["succeeded"]}
        case "false_failure":
            return {i for i, o in answered if o["action"] == "read" and not o["succeeded"]}
        case "false_full":
            return {
                i for i, o in answered if o["action"] in ("push", "allocate") and not o["succeeded"]
            }
        case "false_empty":
            return {i for i, o in answered if o["action"] == "pop" and not o["succeeded"]}
        case "order":
            return {i for i, o in answered if o["action"] == "pop" and o["succeeded"]}
        case "loss":
            return {
                i
                for i, o in answered
                if (o["action"] == "push" and o["succeeded"] and o["argument"] not in popped)
                or (o["action"] == "pop" and not o["succeeded"])
            }
        case "capacity":
            return {
                i for i, o in answered if o["action"] in ("push", "allocate") and o["succeeded"]
            }
    return {i for i, o in operations if not o["finished"] and o["thread"] == failure.thread}
