"""The sandboxes that are attacked: both, as good as this host lets them be."""

from __future__ import annotations

import pytest

from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.slot import SlotSandbox


@pytest.fixture(scope="session", params=[BubblewrapSandbox, SlotSandbox])
def sandbox(request: pytest.FixtureRequest) -> BubblewrapSandbox | SlotSandbox:
    made: BubblewrapSandbox | SlotSandbox = request.param()
    return made
