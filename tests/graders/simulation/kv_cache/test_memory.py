"""Block managers that we call right keep nothing of prompts that are gone."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

PACKAGE = Path(__file__).parents[4] / "problems/round-5/kv-cache"
RIGHT = [PACKAGE / "reference.py", *sorted((PACKAGE / "submissions/accepted").glob("*.py"))]


def count(value: Any) -> int:
    """How many values a thing holds, itself included."""
    if isinstance(value, dict):
        return 1 + sum(count(key) + count(one) for key, one in value.items())
    if isinstance(value, list | tuple | set):
        return 1 + sum(map(count, value))
    return 1 + count(vars(value)) if hasattr(value, "__dict__") else 1


@pytest.mark.parametrize("path", RIGHT, ids=lambda path: str(path.stem))
def test_memory_does_not_grow_with_the_prompts_that_came_and_went(path: Path) -> None:
    manager = runpy.run_path(str(path))["BlockManager"](6, 2)
    held = []
    for number in range(400):
        prompt = [number, number + 1, number + 2, number + 3]
        assert manager.allocate("A", prompt) is not None
        assert manager.allocate("B", [*prompt[::-1], *range(number, number + 20)]) is None
        assert manager.append("A", number) is not None
        manager.free("A")
        held.append(count(manager))
    assert max(held) == max(held[:20])
