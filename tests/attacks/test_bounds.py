"""Every limit on a resource holds within a tenth, and its end has a name of its own."""

from __future__ import annotations

import pytest

from sandboxes.interface import Limits, RunStatus
from tests.attacks.bounds import BOUNDS, AnySandbox, Bound, applies, overdraw
from tests.sandboxes.programs import python


@pytest.mark.parametrize("bound", BOUNDS, ids=lambda bound: bound.name.replace(" ", "-"))
def test_no_more_than_a_tenth_over_the_limit_is_had_and_no_less(
    sandbox: AnySandbox, bound: Bound
) -> None:
    if not applies(bound, sandbox):
        pytest.skip("an ordinary user cannot mount a tmpfs with an inode limit for bubblewrap")
    assert overdraw(bound, sandbox) == []


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
