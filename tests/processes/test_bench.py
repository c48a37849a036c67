"""`manage.py bench` on a site of its own: small, to see that it still measures."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from app.serving.trial import PROJECT


@pytest.mark.processes
def test_the_bench_still_measures_path_and_judging(data_folder: Path) -> None:
    done = subprocess.run(
        [sys.executable, "manage.py", "bench", "--submissions", "4", "--json"],
        cwd=PROJECT,
        env={"PATH": "/usr/bin:/bin", "DATA_DIR": str(data_folder)},
        check=True,
        capture_output=True,
        text=True,
    )
    figures = json.loads(done.stdout)
    assert figures["submissions"] == 4
    for name in ("path", "bare"):
        assert 0 < figures[f"{name}_p50_ms"] <= figures[f"{name}_p95_ms"]
    ratio = figures["path_p50_ms"] / figures["bare_p50_ms"]
    assert figures["path_over_bare_p50"] == pytest.approx(ratio, rel=0.02)
    assert figures["submissions_per_s"] > 0
    assert figures["operations_per_s"] > 1000
    assert 0 < figures["operations_one_by_one_per_s"] < figures["operations_per_s"]
