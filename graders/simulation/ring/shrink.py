"""The search for the smallest input on which a submission fails in the same way."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from graders.budget import Budget
from graders.simulation.ring.collective import Trace
from graders.simulation.ring.failures import Failure
from graders.simulation.ring.inputs import Input

MAX_TRIES = 80
MAX_OTHER_FAILURES = 5  # each costs fresh programs


def smaller_inputs(failed: Input) -> Iterator[Input]:
    """Inputs below `failed`, smallest first: fewer ranks, then fewer elements.

    An empty vector is tried only for a failure on an empty vector: it hides what goes wrong.
    """
    for n_ranks in range(1, failed.n_ranks + 1):
        telling = {1, 2, 3, n_ranks - 1, n_ranks, n_ranks + 1, 2 * n_ranks, 2 * n_ranks + 1}
        telling |= {3 * n_ranks + 1, failed.length}
        for length in sorted(telling if failed.length else {0}):
            chosen = Input(n_ranks, length, failed.dtype)
            if chosen < failed and length <= failed.length and (length or not failed.length):
                yield chosen


def shrink(
    failed: Trace,
    failure: Failure,
    run: Callable[[Input], tuple[Trace, Failure | None]],
) -> tuple[Trace, Failure]:
    """The first of `smaller_inputs` that fails with the same kind; else what was given.

    For the budget see `graders.budget`.
    """
    other_failures = 0
    budget = Budget(MAX_TRIES)
    for chosen in smaller_inputs(failed.input):
        if budget.is_spent or other_failures == MAX_OTHER_FAILURES:
            break
        budget.spend()
        trace, found = run(chosen)
        if found is None:
            continue
        if (found.kind, found.place) == (failure.kind, failure.place):
            return trace, found
        other_failures += 1
    return failed, failure
