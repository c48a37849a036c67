"""One sandbox for all tests: with control groups where the host has them, and without."""

from __future__ import annotations

import pytest

from sandboxes.bubblewrap import BubblewrapSandbox, find_hierarchies
from sandboxes.cgroups import Hierarchies


@pytest.fixture(scope="session", params=["cgroups", "no-cgroups"])
def sandbox(request: pytest.FixtureRequest) -> BubblewrapSandbox:
    if request.param == "no-cgroups":
        return BubblewrapSandbox(hierarchies=Hierarchies())
    if find_hierarchies().memory is None:
        pytest.skip("this host gives no control groups to this user")
    return BubblewrapSandbox()


@pytest.fixture(scope="session")
def any_sandbox() -> BubblewrapSandbox:
    """The best that this host can do, for what does not depend on control groups."""
    return BubblewrapSandbox()
