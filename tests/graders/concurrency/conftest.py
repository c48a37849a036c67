"""One model checker for all tests: the one that the grader itself uses, built if need be."""

from __future__ import annotations

import pytest

from tests.graders.concurrency.checker import Checker


@pytest.fixture(scope="session")
def checker(tmp_path_factory: pytest.TempPathFactory) -> Checker:
    return Checker(tmp_path_factory.mktemp("checker"))
