"""A round of an interview about a trace: drawn for the round, for those in it alone."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, InterviewRound
from app.practice.models import Attempt, Submission
from graders.triage import chrome_trace, draw, fill
from tests.app.interviews.conftest import MovedClock, current
from tests.app.practice_data import version_of
from tests.app.trace_data import trace_problem
from tests.app.worksheet_data import judged

SEED = 4
FETCH: dict[str, Any] = {"headers": {"X-Requested-With": "fetch"}}


@pytest.fixture
def triage(owner: User, db: None, queued: list[Submission], server_clock: MovedClock) -> Interview:
    version = version_of(trace_problem())
    made = Interview.objects.create(candidate=owner, title="Triage")
    InterviewRound.objects.create(
        interview=made, number=1, version=version, minutes=30, text=version.starter, seed=SEED
    )
    running.start(made, owner)
    return made


def test_the_round_has_a_trace_of_its_own(
    triage: Interview, owner_client: Client, stranger_client: Client
) -> None:
    page = owner_client.get(triage.get_absolute_url()).content.decode()
    address = f"/interviews/{triage.pk}/rounds/1/trace.json"
    assert set(re.findall(r'(?:data-url|href)="([^"]*trace\.json[^"]*)"', page)) == {address}
    events = json.loads(owner_client.get(address).content)["traceEvents"]
    assert events == chrome_trace(draw(SEED))["traceEvents"]
    assert stranger_client.get(address).status_code in (403, 404)
    assert not Attempt.objects.exists(), "the trace of practice is untouched"


def test_answers_are_judged_by_the_rounds_trace(
    triage: Interview, owner_client: Client, queued: list[Submission]
) -> None:
    version = current(triage).version
    assert version is not None
    source = fill(version.spec.grader.model_dump(), version.files["reference.yaml"], SEED)
    address = f"/interviews/{triage.pk}/rounds/1/submit/"
    form = {"kind": "submit", "source": source}
    assert owner_client.post(address, form, **FETCH).status_code == 201
    assert judged(queued[0]).verdict == "AC"


def test_another_round_has_no_trace(owner_client: Client, interview: Interview) -> None:
    address = f"/interviews/{interview.pk}/rounds/1/trace.json"
    assert owner_client.get(address).status_code == 404
