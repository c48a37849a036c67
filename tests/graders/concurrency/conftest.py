"""Builds the model checker once for all tests."""

from __future__ import annotations

import hashlib

import pytest

from graders.concurrency import build
from tests.graders.concurrency.checker import RUNTIME, Checker


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> Checker:
    digest = hashlib.sha256(repr(build.RUNTIME_OPTIONS).encode())
    for source in sorted(RUNTIME.iterdir()):
        digest.update(source.name.encode() + source.read_bytes())
    # Half of the time of these tests is compiling the runtime; it changes seldom.
    assert pytestconfig.cache is not None
    cache = pytestconfig.cache.mkdir(f"model-checker-{digest.hexdigest()[:16]}")
    return Checker(tmp_path_factory.mktemp("checker"), cache)
