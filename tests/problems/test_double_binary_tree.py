"""The reference of double-binary-tree builds the trees that NCCL prints."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "problems/round-4/double-binary-tree"
trees = runpy.run_path(str(PACKAGE / "reference.py"))["trees"]


def test_eight_ranks_have_nccls_parents() -> None:
    assert trees(8)["parents"] == [
        [-1, 2, 4, 2, 0, 6, 4, 6],
        [1, 3, 1, 7, 5, 3, 5, -1],
    ]


@pytest.mark.parametrize("n_ranks", range(2, 200))
def test_no_rank_is_interior_in_both(n_ranks: int) -> None:
    first, second = (
        {rank for rank in range(n_ranks) if tree[rank] != -1 and rank in tree}
        for tree in trees(n_ranks)["parents"]
    )
    assert not first & second
