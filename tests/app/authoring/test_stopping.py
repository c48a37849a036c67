"""Stop, and a lost lease, end the programs of a trial that runs."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client

from app.accounts.models import User
from app.authoring import queue
from app.authoring.models import Verification, VerificationTrial, Work, WorkingCopy
from app.authoring.publishing import read_texts
from app.practice import judging
from app.practice.judging import SandboxLauncher, host_sandbox
from app.practice.verification import run, trials_of
from graders.ports import Program, ProgramSpec
from tests.app.authoring.conftest import Sent

pytestmark = pytest.mark.django_db(transaction=True)

SOON_S = 15.0  # the program would take sixty
ENDLESS = "import time\n\n\ndef double(n):\n    time.sleep(60)\n"


class Watched(SandboxLauncher):
    """Tells when its first program has been started."""

    def __init__(self) -> None:
        super().__init__(host_sandbox())
        self.has_started = threading.Event()

    def start(self, spec: ProgramSpec) -> Program:
        program = super().start(spec)
        self.has_started.set()
        return program


@pytest.fixture
def endless(staff: User, copy: WorkingCopy, sent: Sent) -> VerificationTrial:
    """The reference of a package: it sleeps a minute, and its limits let it."""
    for path, old, new in (
        ("problem.yaml", "answer_time_limit_s: 1.0", "answer_time_limit_s: 60.0"),
        ("problem.yaml", "wall_time_s: 20.0", "wall_time_s: 60.0"),
        ("reference.py", copy.texts["reference.py"], ENDLESS),
    ):
        file = copy.files.get(path=path)
        assert old in file.text
        file.save_text(staff, file.text.replace(old, new), file.revision)
    proof = Verification.start(staff, read_texts(copy.slug, copy.texts), copy.texts)
    queue.pump(proof)
    return VerificationTrial.objects.get(pk=sent.pop(0)[1], path="reference.py")


@pytest.fixture
def judged_until(
    monkeypatch: pytest.MonkeyPatch, endless: VerificationTrial
) -> Callable[[Callable[[], object]], Watched]:
    """Have a worker do the trial, act when its program runs, and wait for the worker."""

    def until(act: Callable[[], object]) -> Watched:
        launcher = Watched()
        monkeypatch.setattr(queue, "make_launcher", lambda: launcher)

        def work() -> None:
            try:
                queue.do_piece("trial", endless.pk)
            finally:
                connection.close()

        worker = threading.Thread(target=work)
        worker.start()
        assert launcher.has_started.wait(SOON_S), "the trial must run under the piece's launcher"
        act()
        worker.join(SOON_S)
        assert not worker.is_alive(), "the program must be ended, and the worker be free"
        return launcher

    return until


def test_stop_ends_the_program_that_runs(
    staff_client: Client,
    endless: VerificationTrial,
    judged_until: Callable[[Callable[[], object]], Watched],
) -> None:
    proof = endless.verification
    address = f"/authoring/problems/double/verifications/{proof.pk}/stop/"
    launcher = judged_until(lambda: staff_client.post(address))
    assert launcher.cancelled
    endless.refresh_from_db()
    proof.refresh_from_db()
    assert proof.status == Verification.Status.STOPPED
    assert (endless.status, endless.verdict, endless.faults) == (Work.Status.WORKING, "", [])


def test_a_lost_lease_ends_the_program_that_runs(
    endless: VerificationTrial,
    judged_until: Callable[[Callable[[], object]], Watched],
) -> None:
    another = uuid.uuid4()
    trials = VerificationTrial.objects.filter(pk=endless.pk)
    launcher = judged_until(lambda: trials.update(lease_token=another))
    assert launcher.cancelled
    endless.refresh_from_db()
    assert (endless.status, endless.lease_token) == (Work.Status.WORKING, another)
    assert (endless.verdict, endless.faults, endless.error_id) == ("", [], "")


def test_a_trial_whose_programs_were_ended_proves_nothing(
    staff: User, copy: WorkingCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge may call a program that was ended a wrong one, and come to its end."""
    launcher = SandboxLauncher(host_sandbox())
    monkeypatch.setattr(SandboxLauncher, "__exit__", lambda self, *_: launcher.cancel())
    trial = trials_of(read_texts(copy.slug, copy.texts))[0]
    with pytest.raises(judging.Cancelled):
        run(trial, 1, launcher)
