"""Accepted submissions on inputs that nobody chose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from graders.ports import ProgramLimits
from graders.simulation.ring.checks import Costs, exact_sum, examine, result
from graders.simulation.ring.collective import run
from graders.simulation.ring.inputs import Input, Settings
from graders.simulation.ring.ranks import Ranks
from tests.graders.plain_launcher import plain_launcher

PACKAGE = Path(__file__).parents[4] / "problems/round-4/ring-all-reduce"
ACCEPTED = [PACKAGE / "reference.py", *sorted((PACKAGE / "submissions/accepted").glob("*.py"))]
SETTINGS = Settings("all_reduce", 5.0, 1e-6, 1e-9)
INPUTS = st.builds(
    Input,
    n_ranks=st.integers(1, 7),
    length=st.integers(0, 60),
    dtype=st.sampled_from(["float64", "float32", "int64"]),
)


@pytest.fixture(params=ACCEPTED, ids=lambda path: path.stem, scope="module")
def ranks(request: pytest.FixtureRequest) -> Iterator[Ranks]:
    limits = ProgramLimits(cpu_time_s=60, wall_time_s=300, memory_mib=512, output_kib=64)
    with plain_launcher() as launcher:
        ranks = Ranks(launcher, request.param.read_bytes(), "all_reduce", limits)
        yield ranks
        ranks.close()


@settings(
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(chosen=INPUTS, seed=st.integers(0, 2**63))
def test_a_right_submission_is_never_refused(ranks: Ranks, chosen: Input, seed: int) -> None:
    trace = run(ranks, chosen, seed, SETTINGS, number=seed)
    failure = examine(trace)
    assert failure is None, failure.text if failure else ""
    # The checks once more, by other means.
    total = np.sum(np.array(trace.vectors, dtype=np.longdouble), axis=0)
    assert np.allclose(exact_sum(trace.vectors), total.astype(np.float64), rtol=1e-15, atol=1e-15)
    for rank in range(chosen.n_ranks):
        assert np.allclose(result(trace, rank), total.astype(np.float64), rtol=1e-4, atol=1e-5)
        assert trace.results[rank] == trace.results[0]
    costs = Costs.of(chosen, trace.ring)
    assert sum(costs.sent_bytes) == 2 * (chosen.n_ranks - 1) * chosen.vector_bytes
