"""Whether somebody listens to the gpu queue, and what becomes of who waits there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings
from redis import Redis

from app import valkey
from app.accounts.models import User
from app.practice import gpu, gpu_workers
from app.practice.models import Problem, Submission
from app.practice.sweeper import sweep
from tests.app.practice_data import send


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[str]:
    """A Valkey of this test's own."""
    import subprocess
    import time

    socket = tmp_path / "valkey.sock"
    url = f"unix://{socket}"
    process = subprocess.Popen(
        valkey.server_command(socket), cwd=tmp_path, stdout=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 20
    while not valkey.answers(url):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    with override_settings(REDIS_URL=url):
        yield url
    process.kill()
    process.wait()


def test_a_worker_is_alive_from_its_announcement_until_its_word_expires(
    broker: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gpu, "properties", lambda: {"name": "a chip"})
    monkeypatch.setattr("threading.Thread", lambda **_: type("", (), {"start": int}))
    assert not gpu_workers.one_is_alive()
    gpu_workers.announce(["gpu"])
    assert gpu_workers.one_is_alive()
    with Redis.from_url(broker) as redis:
        assert 0 < int(redis.ttl("gauntlet:gpu-worker")) <= 15


def test_a_worker_of_other_queues_says_nothing(broker: str) -> None:
    gpu_workers.announce(["cpu"])
    assert not gpu_workers.one_is_alive()


def test_a_worker_without_a_gpu_does_not_take_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "properties", lambda: None)
    with pytest.raises(SystemExit, match="needs a GPU"):
        gpu_workers.announce(["gpu"])


def test_a_broker_that_is_away_means_nobody_listens(tmp_path: Path) -> None:
    with override_settings(REDIS_URL=f"unix://{tmp_path / 'nobody'}"):
        assert not gpu_workers.one_is_alive()


def test_who_waits_for_a_gpu_that_went_away_is_judged_without_one(
    owner: User,
    problem: Problem,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("app.practice.sweeper.publish", lambda one: sent.append(one.queue))
    waiting = send(owner, problem)
    Submission.objects.filter(pk=waiting.pk).update(queue="gpu")
    monkeypatch.setattr(gpu_workers, "one_is_alive", lambda: True)
    sweep()
    waiting.refresh_from_db()
    assert (waiting.queue, "cpu" in sent) == ("gpu", False)
    monkeypatch.setattr(gpu_workers, "one_is_alive", lambda: False)
    sweep()
    waiting.refresh_from_db()
    assert (waiting.queue, "cpu" in sent) == ("cpu", True)
