"""The sandboxes that are attacked: both, as good as this host lets them be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.identity import LAST_UID
from sandboxes.slot import SlotSandbox

# Only the attacks' runs are these (the soak has the 200 above), so that what they leave is seen.
UIDS = (LAST_UID - 399, LAST_UID - 200)
AnySandbox = BubblewrapSandbox | SlotSandbox


@pytest.fixture(scope="session", params=[BubblewrapSandbox, SlotSandbox])
def sandbox(request: pytest.FixtureRequest) -> Iterator[AnySandbox]:
    made: AnySandbox = request.param(uids=UIDS)
    yield made
    made.close()
