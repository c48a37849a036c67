"""After a proof, wrong solutions made of the reference: told as warnings, never in the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from app.accounts.models import User
from app.authoring import queue
from app.authoring.models import MutantRun, Verification, WorkingCopy, mutants
from app.authoring.publishing import publish, read_texts
from app.practice.models import Problem
from tests.app.authoring.conftest import Sent

pytestmark = pytest.mark.django_db(transaction=True)

Work = Callable[[], int]


@pytest.fixture
def gap(staff: User, copy: WorkingCopy) -> WorkingCopy:
    """A package whose only case is a 2, for which squaring and adding are right."""
    file = copy.files.get(path="problem.yaml")
    head, rest = file.text.split("cases:\n")
    tail = rest[rest.index("expected:\n") :]
    expected = "".join(line for line in tail.splitlines(True) if "squares" not in line)
    case = "  - {name: two, breaks: nothing, sample: true, input: {n: 2}}\n"
    file.save_text(staff, f"{head}cases:\n{case}{expected}", file.revision)
    copy.files.filter(path__endswith="squares.py").delete()
    return copy


def prove(person: User, copy: WorkingCopy) -> Verification:
    proof = Verification.start(person, read_texts(copy.slug, copy.texts), copy.texts)
    queue.publish(proof)
    return proof


def trials_done(proof: Verification, sent: Sent) -> MutantRun:
    """The workers have judged the package's own submissions, and no mutant yet."""
    while sent and sent[0][0] == "trial":
        queue.do_piece(*sent.pop(0))
    proof.refresh_from_db()
    assert proof.status == Verification.Status.PASSED
    return MutantRun.objects.get(verification=proof)


def test_a_survivor_is_a_warning_with_its_line_the_missing_case_and_the_change(
    staff: User, staff_client: Client, gap: WorkingCopy, work: Work
) -> None:
    proof = prove(staff, gap)
    work()
    run = MutantRun.objects.get(verification=proof)
    assert run.status == MutantRun.Status.DONE
    assert (run.n_made, run.n_pieces, run.n_done) == (10, 10, 10)
    assert (run.n_refused, run.n_as_right, run.n_failed) == (8, 0, 0)
    always, added = run.survivors
    assert always.name == "answer: always that of {'n': 2}"
    assert added.place == "round-3/double/reference.py:3"
    assert added.missing == "a case in which that makes a difference"
    changed = [line for line in added.diff.splitlines() if line[0] in "+-"]
    assert changed == ["-    return {'doubled': 2 * n}", "+    return {'doubled': 2 + n}"]
    page = staff_client.get(proof.get_absolute_url()).content.decode()
    assert "10 of 10 judged." in page
    assert "8 are refused." in page
    assert "round-3/double/reference.py:3" in page
    assert "Add a case in which that makes a difference" in page
    assert "+    return {&#x27;doubled&#x27;: 2 + n}" in page


def test_a_whole_package_lets_none_survive(
    staff: User, staff_client: Client, copy: WorkingCopy, work: Work
) -> None:
    proof = prove(staff, copy)
    work()
    assert not MutantRun.objects.get(verification=proof).survivors.exists()
    assert "None survives." in staff_client.get(proof.get_absolute_url()).content.decode()


def test_mutants_keep_nothing_from_being_published(
    staff: User, gap: WorkingCopy, sent: Sent
) -> None:
    run = trials_done(prove(staff, gap), sent)
    assert run.is_running
    publish(staff, gap)
    assert Problem.objects.get(slug="double").published


def test_a_proof_that_fails_makes_no_mutants(staff: User, copy: WorkingCopy, work: Work) -> None:
    file = copy.files.get(path="submissions/wrong_answer/squares.py")
    file.save_text(staff, copy.texts["reference.py"], file.revision)
    prove(staff, copy)
    work()
    assert Verification.objects.get().status == Verification.Status.FAILED
    assert not MutantRun.objects.exists()


def test_of_a_large_package_a_sample_is_judged_and_its_size_said(
    staff: User,
    staff_client: Client,
    copy: WorkingCopy,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(mutants, "MOST_MUTANTS", 2)
    proof = prove(staff, copy)
    work()
    run = MutantRun.objects.get(verification=proof)
    assert (run.n_made, run.n_pieces, run.n_done) == (10, 2, 2)
    page = staff_client.get(proof.get_absolute_url()).content.decode()
    assert "These 2 are a sample, spread evenly over the 10 that can be made." in page


def test_stop_ends_the_mutants_and_leaves_the_proof_passed(
    staff: User, staff_client: Client, copy: WorkingCopy, sent: Sent
) -> None:
    proof = prove(staff, copy)
    run = trials_done(proof, sent)
    assert [kind for kind, _ in sent] == ["mutant"] * queue.IN_FLIGHT
    staff_client.post(f"/authoring/problems/double/verifications/{proof.pk}/stop/")
    while sent:
        queue.do_piece(*sent.pop(0))
    run.refresh_from_db()
    proof.refresh_from_db()
    assert (run.status, run.n_done) == (MutantRun.Status.STOPPED, 0)
    assert proof.status == Verification.Status.PASSED


def test_a_new_proof_stops_the_mutants_of_the_last_one(
    staff: User, copy: WorkingCopy, sent: Sent
) -> None:
    run = trials_done(prove(staff, copy), sent)
    prove(staff, copy)
    run.refresh_from_db()
    assert run.status == MutantRun.Status.STOPPED


def test_a_worker_that_dies_between_proof_and_mutants_loses_none(
    staff: User, copy: WorkingCopy, sent: Sent
) -> None:
    proof = Verification.start(staff, read_texts(copy.slug, copy.texts), copy.texts)
    proof.trials.update(status="done")
    assert proof.settle()  # and nobody pumps
    assert sent == []
    queue.sweep()
    assert [kind for kind, _ in sent] == ["mutant"] * queue.IN_FLIGHT


def test_a_mutant_that_the_judge_fails_at_is_told_and_no_survivor(
    staff: User,
    staff_client: Client,
    copy: WorkingCopy,
    work: Work,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down(*_: object) -> None:
        raise RuntimeError("the judge is broken")

    monkeypatch.setattr(mutants, "judge_mutant", break_down)
    monkeypatch.setattr(mutants, "MOST_MUTANTS", 1)
    proof = prove(staff, copy)
    work()
    run = MutantRun.objects.get(verification=proof)
    assert (run.status, run.n_failed) == (MutantRun.Status.DONE, 1)
    assert not run.survivors.exists()
    page = staff_client.get(proof.get_absolute_url()).content.decode()
    assert "The judge failed on 1 of them" in page
    assert "0 are refused." in page


def test_the_page_asks_on_while_mutants_are_judged_and_tells_of_the_proof_once(
    staff: User, staff_client: Client, copy: WorkingCopy, sent: Sent
) -> None:
    proof = prove(staff, copy)
    address = f"{proof.get_absolute_url()}?live=workbench"
    news = f'hx-get="/authoring/problems/{copy.slug}/state/"'
    assert "was=running" in staff_client.get(address).content.decode()
    run = trials_done(proof, sent)
    page = staff_client.get(f"{address}&was=running").content.decode()
    assert news in page
    assert "every 1s" in page
    again = staff_client.get(address).content.decode()
    assert news not in again
    assert "every 1s" in again
    run.stop()
    assert "every 1s" not in staff_client.get(address).content.decode()
