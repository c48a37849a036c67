"""What a Celery worker finds out before it takes work."""

from __future__ import annotations

import dataclasses
import logging

import pytest
from celery.signals import worker_init

from app.practice import tasks
from app.practice.tasks import ACCEPTED_RISK, WITHOUT_ISOLATION
from sandboxes.bubblewrap import BubblewrapSandbox
from sandboxes.interface import SandboxError
from sandboxes.seccomp import ALLOW

# There is no worker here to send the signal.
pytestmark = pytest.mark.filterwarnings("ignore:DjangoFixup")


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host whose sandbox runs programs, with a filter that allows all."""
    allow_all = bytes([0x06, 0, 0, 0]) + ALLOW.to_bytes(4, "little")
    sandbox = BubblewrapSandbox()
    sandbox.host = dataclasses.replace(sandbox.host, seccomp=allow_all)
    monkeypatch.setattr(tasks, "host_sandbox", lambda: sandbox)
    monkeypatch.delenv(WITHOUT_ISOLATION, raising=False)


@pytest.mark.parametrize("accepted", ["", ACCEPTED_RISK])
def test_a_worker_without_a_sandbox_does_not_start_whatever_is_accepted(
    monkeypatch: pytest.MonkeyPatch, accepted: str
) -> None:
    def no_sandbox() -> None:
        raise SandboxError("a sandbox must hold, and bwrap is missing: apt install bubblewrap")

    monkeypatch.setattr(tasks, "host_sandbox", no_sandbox)
    monkeypatch.setenv(WITHOUT_ISOLATION, accepted)
    with pytest.raises(SystemExit, match="apt install bubblewrap"):
        worker_init.send(sender=None)


@pytest.mark.usefixtures("leaky")
@pytest.mark.parametrize("said", [None, "", "1", "yes", "true", ACCEPTED_RISK.lower()])
def test_a_worker_whose_sandbox_leaks_does_not_start_for_words_typed_by_accident(
    monkeypatch: pytest.MonkeyPatch, said: str | None
) -> None:
    if said is not None:
        monkeypatch.setenv(WITHOUT_ISOLATION, said)
    with pytest.raises(SystemExit, match=r"a trial run could: network, system calls"):
        worker_init.send(sender=None)


@pytest.mark.usefixtures("leaky")
def test_a_worker_whose_sandbox_leaks_starts_for_the_whole_sentence_and_says_so(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv(
        WITHOUT_ISOLATION, "I accept that submissions can read and change this machine"
    )
    worker_init.send(sender=None)
    (record,) = [record for record in caplog.records if record.levelno == logging.CRITICAL]
    assert "judging without isolation" in record.getMessage()
    assert "network" in record.getMessage()


def test_a_worker_whose_sandbox_holds_starts() -> None:
    worker_init.send(sender=None)
