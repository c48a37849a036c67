"""Every limit on a resource holds within a tenth, and its end has a name of its own."""

from __future__ import annotations

import pytest

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.interface import Command, Limits, RunStatus
from sandboxes.slot import SlotSandbox
from tests.attacks.bounds import BOUNDS, SLACK, Bound
from tests.sandboxes.programs import python
from tests.tries import best_of_tries

AnySandbox = BubblewrapSandbox | SlotSandbox


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name.replace(" ", "-"))
def test_no_more_than_a_tenth_over_the_limit_is_had(
    sandbox: AnySandbox,
    bound: Bound,
) -> None:
    result = best_of_tries(
        lambda: sandbox.run(Command(("python", "-c", bound.source), limits=bound.limits)),
        lambda result: bound.most / SLACK <= bound.got(result) <= bound.most * SLACK,
    )
    told = bound.status
    if told is RunStatus.PROCESSES_EXCEEDED and sandbox.host.hierarchies.pids is None:
        told = RunStatus.EXITED  # without a control group the kernel counts no refusals
    if told is RunStatus.FILES_EXCEEDED and not sandbox.host.bounds_inodes:
        pytest.skip("an ordinary user cannot mount a tmpfs with an inode limit for bubblewrap")
    assert result.status is told, (result, result.stderr[-300:])
    assert bound.got(result) <= bound.most * SLACK
    assert bound.got(result) >= bound.most / SLACK, "and no right program is stopped early"


@pytest.mark.parametrize(
    "source",
    [
        "import os\ntry: os.fork()\nexcept OSError: print('refused')",
        "try: open('/tmp/x', 'wb').write(bytes(9 << 20))\nexcept OSError: print('refused')",
    ],
)
def test_a_program_that_lives_with_a_refusal_has_exited(
    sandbox: AnySandbox,
    source: str,
) -> None:
    """A right answer is right, however it was reached."""
    result = sandbox.run(python(source, Limits(processes=1, scratch_mib=8)))
    assert (result.status, result.stdout) == (RunStatus.EXITED, b"refused\n"), result.stderr
