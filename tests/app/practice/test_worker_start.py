"""What a Celery worker finds out before it takes work."""

from __future__ import annotations

import pytest
from celery.signals import worker_init

from app.practice import tasks
from sandboxes.interface import SandboxError


@pytest.mark.filterwarnings("ignore:DjangoFixup")  # there is no worker here to send it
def test_a_worker_without_a_sandbox_does_not_start(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_sandbox() -> None:
        raise SandboxError("a sandbox must hold, and bwrap is missing: apt install bubblewrap")

    monkeypatch.setattr(tasks, "host_sandbox", no_sandbox)
    with pytest.raises(SystemExit, match="apt install bubblewrap"):
        worker_init.send(sender=None)
