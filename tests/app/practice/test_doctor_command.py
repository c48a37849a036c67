"""``manage.py doctor`` refuses a host whose sandbox does not isolate, and only such a host."""

from __future__ import annotations

import io
from collections.abc import Mapping

import pytest
from django.core.management import call_command

from sandboxes.doctor import Finding
from sandboxes.host import Fact

NETWORK = Finding("network", "network namespace", True, "refused", isolates=True)
OPEN_NETWORK = Finding("network", "nothing", False, "saying 'allowed'", isolates=True)
EXACT_MEMORY = Finding("memory", "control group", True, "stopped")
LOOSE_MEMORY = Finding("memory", "nothing", False, "ran on")
GOOD = [NETWORK, EXACT_MEMORY]
OPEN = [OPEN_NETWORK, EXACT_MEMORY]
COMMAND = "app.practice.management.commands.doctor"


def doctor(
    monkeypatch: pytest.MonkeyPatch, findings: Mapping[str, list[Finding]]
) -> tuple[int, str, str]:
    """(exit code, standard output, errors) where the sandboxes have these findings."""
    monkeypatch.delenv("SANDBOX_BACKEND", raising=False)
    monkeypatch.setattr(f"{COMMAND}.examine_backend", lambda name: findings[name])
    monkeypatch.setattr(f"{COMMAND}.facts", lambda: [Fact("kernel", "Linux 6")])
    out, errors = io.StringIO(), io.StringIO()
    code = 0
    try:
        call_command("doctor", stdout=out, stderr=errors, no_color=True)
    except SystemExit as ended:
        code = int(str(ended.code))
    return code, out.getvalue(), errors.getvalue()


def test_both_sandboxes_are_told_and_which_of_them_judges(monkeypatch: pytest.MonkeyPatch) -> None:
    code, out, _ = doctor(monkeypatch, {"slot": GOOD, "bubblewrap": GOOD})
    assert code == 0
    rows = [
        "holds  network             network namespace",
        "holds  memory              control group",
    ]
    head = "tried  limit               enforced by"
    assert out.splitlines() == [
        "This host",
        "kernel              Linux 6",
        "",
        "slot, which judges here",
        head,
        *rows,
        "",
        "bubblewrap, which does not judge here",
        head,
        *rows,
        "",
        "Isolation holds on this host.",
    ]


def test_a_limit_that_is_weak_is_told_and_does_not_stop_judging(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weak = [NETWORK, LOOSE_MEMORY]
    code, out, _ = doctor(monkeypatch, {"slot": weak, "bubblewrap": GOOD})
    assert code == 0
    assert "weak   memory              nothing\n       ran on\n" in out
    assert out.splitlines()[-1] == (
        "Isolation holds on this host. Weak limits: 1; verdicts that rest on one are less exact."
    )


@pytest.mark.parametrize("findings", [OPEN, []], ids=["open", "unknown"])
def test_a_host_that_does_not_isolate_fails(
    monkeypatch: pytest.MonkeyPatch, findings: list[Finding]
) -> None:
    code, out, errors = doctor(monkeypatch, {"slot": findings, "bubblewrap": findings})
    assert code == 1
    assert "Isolation holds" not in out
    assert ("FAILS  network" in out) == bool(findings)
    assert "SANDBOX_BACKEND" not in errors


def test_only_the_sandbox_that_judges_decides_and_the_other_is_offered(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    code, _, errors = doctor(monkeypatch, {"slot": OPEN, "bubblewrap": GOOD})
    assert code == 1
    assert "SANDBOX_BACKEND=bubblewrap holds here." in errors
    code, _, _ = doctor(monkeypatch, {"slot": GOOD, "bubblewrap": OPEN})
    assert code == 0


def test_this_host_is_examined_for_real() -> None:
    out = io.StringIO()
    try:
        call_command("doctor", stdout=out, stderr=io.StringIO(), no_color=True)
        code = 0
    except SystemExit as ended:
        code = int(str(ended.code))
    used, _, other = out.getvalue().partition("which does not judge here")
    assert code == ("FAILS" in used)
    assert other.count("\nholds") + other.count("\nweak") + other.count("\nFAILS") >= 15
