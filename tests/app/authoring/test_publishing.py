"""Verify, then publish: of exactly that content, with a growing number."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from app.accounts.models import User
from app.authoring import queue
from app.authoring.models import Action, TrailEntry, Verification, Work, WorkingCopy
from app.authoring.publishing import NotPublishable, publish, read_texts
from app.practice.models import Problem
from problems.package import Package
from tests.app.authoring.conftest import Sent

pytestmark = pytest.mark.django_db


def change(person: User, copy: WorkingCopy, path: str, old: str, new: str) -> None:
    file = copy.files.get(path=path)
    assert old in file.text
    file.save_text(person, file.text.replace(old, new), file.revision)


def verified(person: User, copy: WorkingCopy) -> Verification:
    """A proof that has passed, without judging: for tests of what comes after it."""
    package = read_texts(copy.slug, copy.texts)
    proof = Verification.start(person, package, copy.texts)
    proof.trials.update(status=Work.Status.DONE)
    assert proof.settle()
    return proof


def refusal(person: User, copy: WorkingCopy) -> str:
    with pytest.raises(NotPublishable) as refused:
        publish(person, copy)
    return str(refused.value)


@pytest.mark.django_db(transaction=True)
def test_a_sound_package_is_verified_by_the_workers_and_published(
    staff: User, staff_client: Client, copy: WorkingCopy, sent: Sent, work: Callable[[], int]
) -> None:
    staff_client.post("/authoring/problems/double/verify/")
    assert len(sent) == queue.IN_FLIGHT  # candidates are not kept waiting by a whole package
    proof = Verification.objects.get()
    done = work()
    assert done == proof.n_pieces + proof.mutant_run.n_pieces
    proof.refresh_from_db()
    assert proof.status == Verification.Status.PASSED, [t.faults for t in proof.trials.all()]
    staff_client.post("/authoring/problems/double/publish/")
    problem = Problem.objects.get(slug="double")
    assert problem.current_version is not None
    assert (problem.published, problem.managed_here) == (True, True)
    assert problem.current_version.files == copy.texts
    actions = list(TrailEntry.objects.values_list("action", flat=True))
    assert actions[:2] == [Action.PUBLISHED, Action.VERIFIED]
    assert actions[-1] == Action.CREATED


@pytest.mark.django_db(transaction=True)
def test_a_wrong_submission_that_passes_fails_the_proof(
    staff: User, copy: WorkingCopy, sent: Sent, work: Callable[[], int]
) -> None:
    path = next(path for path in copy.texts if path.startswith("submissions/wrong_answer/"))
    file = copy.files.get(path=path)
    file.save_text(staff, copy.texts["reference.py"], file.revision)
    proof = Verification.start(staff, read_texts(copy.slug, copy.texts), copy.texts)
    queue.publish(proof)
    work()
    proof.refresh_from_db()
    assert proof.status == Verification.Status.FAILED
    (bad,) = [trial for trial in proof.trials.all() if not trial.is_good]
    assert bad.path == path
    assert "verdict must be" in bad.faults[0]
    assert "problem.yaml:" in bad.faults[0]
    assert "verified" in refusal(staff, copy)


def test_what_was_typed_after_the_proof_is_not_published(staff: User, copy: WorkingCopy) -> None:
    assert "has not been. Verify it" in refusal(staff, copy)
    verified(staff, copy)
    change(staff, copy, "editorial.md", copy.texts["editorial.md"], "Another one.\n")
    assert "has not been. Verify it" in refusal(staff, copy)
    assert not Problem.objects.exists()


def test_a_version_must_grow(staff: User, copy: WorkingCopy) -> None:
    verified(staff, copy)
    first = publish(staff, copy)
    assert "published already" in refusal(staff, copy)
    change(staff, copy, "statement.md", copy.texts["statement.md"], "New words.\n")
    verified(staff, copy)
    assert "“version: 2”" in refusal(staff, copy)
    change(staff, copy, "problem.yaml", "\nversion: 1\n", "\nversion: 2\n")
    verified(staff, copy)
    second = publish(staff, copy)
    assert (first.number, second.number) == (1, 2)
    problem = Problem.objects.get()
    assert problem.current_version == second
    assert problem.versions.count() == 2


def test_a_problem_taken_from_the_lists_is_published_again_as_it_was(
    staff: User, staff_client: Client, owner_client: Client, copy: WorkingCopy
) -> None:
    verified(staff, copy)
    publish(staff, copy)
    staff_client.post("/authoring/problems/double/unpublish/")
    assert owner_client.get("/problems/double/").status_code == 404
    publish(staff, copy)
    assert owner_client.get("/problems/double/").status_code == 200


def test_a_fault_keeps_it_from_being_published(staff: User, copy: WorkingCopy) -> None:
    verified(staff, copy)
    change(staff, copy, "problem.yaml", "\nminutes:", "\nminuts:")
    assert "problem.yaml must have minutes" in refusal(staff, copy)


def test_an_id_or_a_slug_of_another_problem_is_refused(
    staff: User, problem: Problem, texts: dict[str, str]
) -> None:
    copy = WorkingCopy.make(staff, "double", texts, Action.CREATED)  # `problem` has this slug
    assert "a problem keeps its id for ever" in refusal(staff, copy)
    other = WorkingCopy.make(
        staff,
        "twice",
        texts | {"problem.yaml": _with_id(texts["problem.yaml"], str(problem.uuid))},
        Action.CREATED,
    )
    assert "an id must be unique" in refusal(staff, other)


def _with_id(spec: str, uuid: str) -> str:
    lines = [f"id: {uuid}" if line.startswith("id:") else line for line in spec.split("\n")]
    return "\n".join(lines)


def test_a_new_proof_stops_the_one_of_an_older_text(staff: User, copy: WorkingCopy) -> None:
    package: Package = read_texts(copy.slug, copy.texts)
    first = Verification.start(staff, package, copy.texts)
    second = Verification.start(staff, package, copy.texts)
    first.refresh_from_db()
    assert (first.status, second.status) == ("stopped", "running")


def test_a_piece_of_a_killed_worker_is_done_by_another(
    staff: User, copy: WorkingCopy, sent: Sent
) -> None:
    proof = Verification.start(staff, read_texts(copy.slug, copy.texts), copy.texts)
    queue.pump(proof)
    dead = proof.trials.get(pk=sent[0][1])
    token = dead.claim()
    assert token is not None
    assert dead.claim() is None  # a second worker with the same message
    proof.trials.filter(pk=dead.pk).update(lease_expires_at=timezone.now() - timedelta(seconds=1))
    sent.clear()
    queue.sweep()
    assert ("trial", dead.pk) in sent
    dead.refresh_from_db()
    assert dead.status == Work.Status.WAITING
    assert not dead.finish(token, verdict="AC")  # the dead worker's twin wakes up


def test_a_piece_that_kills_every_worker_is_given_up(
    staff: User, copy: WorkingCopy, sent: Sent
) -> None:
    proof = Verification.start(staff, read_texts(copy.slug, copy.texts), copy.texts)
    killer = proof.trials.first()
    assert killer is not None
    for _attempt in range(3):
        assert killer.claim() is not None
        proof.trials.filter(pk=killer.pk).update(
            lease_expires_at=timezone.now() - timedelta(seconds=1)
        )
        queue.sweep()
        killer.refresh_from_db()
    assert killer.status == Work.Status.DONE
    assert "its worker died 3 times" in killer.faults[0]


def test_a_message_that_the_broker_lost_is_sent_again(
    staff: User, copy: WorkingCopy, sent: Sent
) -> None:
    proof = Verification.start(staff, read_texts(copy.slug, copy.texts), copy.texts)
    queue.pump(proof)
    first = list(sent)
    queue.sweep()
    assert sent == first  # still fresh: nothing is sent twice
    proof.trials.filter(status="waiting").exclude(published_at=None).update(
        published_at=timezone.now() - timedelta(seconds=queue.PATIENCE_S + 1)
    )
    sent.clear()
    queue.sweep()
    assert sent == first


def test_a_stopped_proof_begins_no_further_trial(
    staff: User, staff_client: Client, copy: WorkingCopy, sent: Sent
) -> None:
    proof = Verification.start(staff, read_texts(copy.slug, copy.texts), copy.texts)
    queue.pump(proof)
    staff_client.post(f"/authoring/problems/double/verifications/{proof.pk}/stop/")
    queue.do_piece(*sent[0])
    assert not proof.trials.exclude(status=Work.Status.WAITING).exists()
