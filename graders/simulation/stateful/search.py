"""Looks for a sequence of calls that fails, and shrinks it; both by hypothesis, from a seed.

Hypothesis mixes constants that it finds in the modules of the running process into what it draws,
so that the same seed could draw other sequences in a worker than in a command. Of byte strings it
takes those that have the wanted length: hence `RECORD_BYTES`, a length that no constant here has.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from hypothesis.errors import Flaky

from graders.budget import Budget
from graders.simulation.stateful.program import Call
from graders.verdict import JsonObject, Verdict

MAX_TRIES = 600  # sequences run to shrink one failure
RECORD_BYTES = 11


@dataclass(frozen=True, slots=True)
class Script:
    """An object to make and calls to do on it."""

    make: JsonObject
    calls: tuple[Call, ...]


class Failure(Protocol):
    """Why a script fails, as the search needs it."""

    @property
    def verdict(self) -> Verdict: ...

    @property
    def stopped(self) -> bool:
        """It ended the program, so each try more costs a new one and its time limit."""


SomeFailure = TypeVar("SomeFailure", bound=Failure)
Attempt = Callable[[Script], "SomeFailure | None"]


class _Failed(Exception):
    """This script fails; for hypothesis to shrink."""


class _Enough(BaseException):
    """No more tries. No Exception, or hypothesis would take it for a failure of another kind."""


def records(min_records: int, max_records: int) -> st.SearchStrategy[list[bytes]]:
    """A head record and then records of `RECORD_BYTES` bytes, one an operation; zeros shrink best.

    A byte string is one choice, where an operation made of strategies is a dozen: ten times as
    many sequences a second.
    """
    record = st.binary(min_size=RECORD_BYTES, max_size=RECORD_BYTES)
    return st.lists(record, min_size=1 + min_records, max_size=1 + max_records)


def find(
    scripts: st.SearchStrategy[Script], attempt: Attempt[SomeFailure], seed: int, examples: int
) -> tuple[Script, SomeFailure] | None:
    """The smallest failing script that hypothesis finds among `examples` drawn ones.

    The first failure's verdict is kept while it is shrunk, so that a wrong answer does not end as
    an exception. Where a submission answers differently when asked again, the last failing script
    that was seen stands.
    """
    found: tuple[Script, SomeFailure] | None = None
    budget = Budget(MAX_TRIES)

    def one(script: Script) -> None:
        nonlocal found, budget
        if found is not None:
            if budget.is_spent:
                raise _Enough
            budget.spend()
        failure = attempt(script)
        if failure is None or (found is not None and failure.verdict is not found[1].verdict):
            return
        if found is None:
            budget = Budget(MAX_TRIES)  # its clock begins with the first failure
        found = script, failure
        if failure.stopped:
            raise _Enough
        raise _Failed

    run = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        print_blob=False,
    )(given(scripts)(one))
    with contextlib.suppress(_Failed, _Enough, Flaky):
        seeded(seed)(run)()
    return found


def without_needless_calls(
    script: Script,
    failure: SomeFailure,
    attempt: Attempt[SomeFailure],
    legal: Callable[[JsonObject, Sequence[Call]], tuple[Call, ...]],
) -> tuple[Script, SomeFailure]:
    """Leave out calls, one at a time from the end, as long as the same verdict shows.

    For recorded sequences, which hypothesis did not draw. What this gives back it would give back
    again, so a replay shows the same sequence.

    Parameters
    ----------
    legal : callable
        Of some calls, those that are allowed to be made after one was left out.
    """
    if failure.stopped:
        return script, failure
    budget = Budget(MAX_TRIES)
    index = len(script.calls) - 1
    while index >= 0 and not budget.is_spent:
        calls = script.calls[:index] + script.calls[index + 1 :]
        smaller = Script(script.make, legal(script.make, calls))
        budget.spend()
        found = attempt(smaller)
        if found is not None and found.verdict is failure.verdict and not found.stopped:
            script, failure = smaller, found
            index = len(script.calls)
        index -= 1
    return script, failure
