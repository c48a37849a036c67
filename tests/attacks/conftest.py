"""The sandboxes that are attacked: both, as good as this host lets them be."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.identity import LAST_UID
from sandboxes.slot import SlotSandbox

# Only this process's attacks are these, so that what they leave is seen: the soak has the 200
# above, and each of pytest's workers, and whoever else tests on this host, a hundred below.
_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_FIRST = LAST_UID - 299 - 100 * (_WORKER % 8 + 8 * (os.getppid() % 4))
UIDS = (_FIRST, _FIRST + 99)
AnySandbox = BubblewrapSandbox | SlotSandbox


@pytest.fixture(scope="session", params=[BubblewrapSandbox, SlotSandbox])
def sandbox(request: pytest.FixtureRequest) -> Iterator[AnySandbox]:
    made: AnySandbox = request.param(uids=UIDS)
    yield made
    made.close()
