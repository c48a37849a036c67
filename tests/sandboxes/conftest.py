"""Both backends for all tests: with control groups where the host has them, and without."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from sandboxes.bubblewrap import BubblewrapSandbox, find_hierarchies
from sandboxes.cgroups import Hierarchies
from sandboxes.slot import SlotSandbox

AnySandbox = BubblewrapSandbox | SlotSandbox
BACKENDS: dict[str, type[BubblewrapSandbox] | type[SlotSandbox]] = {
    "bubblewrap": BubblewrapSandbox,
    "slot": SlotSandbox,
}


@pytest.fixture(
    scope="session",
    params=[f"{name}-{groups}" for name in BACKENDS for groups in ("cgroups", "no-cgroups")],
)
def sandbox(request: pytest.FixtureRequest) -> AnySandbox:
    name, groups = request.param.split("-", 1)
    if groups == "no-cgroups":
        return BACKENDS[name](hierarchies=Hierarchies())
    if find_hierarchies().memory is None:
        pytest.skip("this host gives no control groups to this user")
    return BACKENDS[name]()


@pytest.fixture(scope="session", params=list(BACKENDS))
def any_sandbox(request: pytest.FixtureRequest) -> AnySandbox:
    """The best that this host can do, for what does not depend on control groups."""
    return BACKENDS[request.param]()


@pytest.fixture(autouse=True)
def settled() -> Iterator[None]:
    """Slots get ready for their next run after a test has its result: not in the next test."""
    yield
    for thread in threading.enumerate():
        if thread.name == "sandbox-run":
            thread.join(10)
