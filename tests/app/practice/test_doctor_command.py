"""``manage.py doctor`` refuses a host whose sandbox does not isolate, and only such a host."""

from __future__ import annotations

import io

import pytest
from django.core.management import call_command

from sandboxes.doctor import Finding

NETWORK = Finding("network", "network namespace", True, "refused", isolates=True)
OPEN_NETWORK = Finding("network", "nothing", False, "saying 'allowed'", isolates=True)
EXACT_MEMORY = Finding("memory", "control group", True, "stopped")
LOOSE_MEMORY = Finding("memory", "nothing", False, "ran on")


def doctor(monkeypatch: pytest.MonkeyPatch, *findings: Finding) -> tuple[int, str]:
    """(exit code, standard output) where the sandbox has these findings."""
    monkeypatch.setattr("app.practice.management.commands.doctor.examine", lambda: list(findings))
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out, stderr=io.StringIO(), no_color=True)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_a_host_that_isolates_passes(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out = doctor(monkeypatch, NETWORK, EXACT_MEMORY)
    assert code == 0
    assert out.splitlines()[1:] == [
        "holds  network             network namespace",
        "holds  memory              control group",
        "Isolation holds on this host.",
    ]


def test_a_limit_that_is_weak_is_told_and_does_not_stop_judging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, out = doctor(monkeypatch, NETWORK, LOOSE_MEMORY)
    assert code == 0
    assert out.splitlines()[2:] == [
        "weak   memory              nothing",
        "       ran on",
        "Isolation holds on this host. Weak limits: 1; verdicts that rest on one are less exact.",
    ]


@pytest.mark.parametrize("findings", [(OPEN_NETWORK, EXACT_MEMORY), ()], ids=["open", "unknown"])
def test_a_host_that_does_not_isolate_fails(
    monkeypatch: pytest.MonkeyPatch, findings: tuple[Finding, ...]
) -> None:
    code, out = doctor(monkeypatch, *findings)
    assert code == 1
    assert "Isolation holds" not in out
    assert ("FAILS  network" in out) == bool(findings)


def test_this_host_is_examined_for_real() -> None:
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out, stderr=io.StringIO(), no_color=True)
        code = 0
    except SystemExit as ended:
        code = int(str(ended.code))
    assert code == ("FAILS" in out.getvalue())
    assert len(out.getvalue().splitlines()) > 1
