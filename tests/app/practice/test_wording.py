"""What graders and packages say, in the language of the reader, whenever it was judged."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.test import Client
from django.utils import translation

from app.accounts.models import User
from app.practice.models import Problem, Submission
from app.practice.wording import said_report
from graders.text import say, say_n
from graders.verdict import CaseResult, Counterexample, JsonObject, Verdict
from tests.app.practice_data import judge_to_the_end, reject, send, version_of

OWN = "the double of {n} is {right}"  # said by the package's checker


@pytest.fixture(autouse=True)
def english_afterwards() -> Iterator[None]:
    with translation.override("en"):
        yield


@pytest.fixture
def submission(owner: User, problem: Problem) -> Submission:
    """Rejected by a grader whose sentences are the site's, the package's and nobody's."""
    version = version_of(problem)
    version.files["texts.zh-hans.yaml"] = (
        f'"{OWN}": "{{n}} 的两倍是 {{right}}"\na forgotten sign: 忘记的符号\n'
    )
    version.save()
    keys = say_n("{count} element", "{count} elements", count=3)
    message = say("{fact}: {why}", fact=say(OWN, n=2, right=4), why=keys)
    data: JsonObject = {
        "steps": [{"label": say("not said anywhere {n}", n=1)}],
        "own": {"$say": "mine"},
    }
    counterexample = Counterexample("plain", message, data, {"case": "minus-one", "seed": 7})
    result = CaseResult(
        "minus-one", Verdict.WRONG_ANSWER, message=message, counterexample=counterexample
    )
    return judge_to_the_end(send(owner, problem), [result])


def said(submission: Submission, language: str) -> str:
    with translation.override(language):
        return str(said_report(submission)["message"])


def test_each_reader_gets_the_report_in_their_language(submission: Submission) -> None:
    assert said(submission, "en") == "the double of 2 is 4: 3 elements"
    assert said(submission, "zh-hans") == "2 的两倍是 4：3 个元素"


def test_the_database_holds_the_template_and_not_one_language(submission: Submission) -> None:
    assert submission.report is not None
    assert submission.report["message"] == submission.report["cases"][0]["message"]  # type: ignore[index, call-overload]
    assert submission.report["message"]["$say"]["template"] == "{fact}: {why}"  # type: ignore[index, call-overload]
    [event] = submission.events.filter(kind="case_finished")
    assert event.data["result"]["message"] == submission.report["message"]  # type: ignore[index, call-overload]


def test_what_nobody_translated_is_said_in_english(submission: Submission) -> None:
    with translation.override("zh-hans"):
        data = said_report(submission)["counterexample"]["data"]
    assert data == {"steps": [{"label": "not said anywhere 1"}], "own": {"$say": "mine"}}


def test_a_package_cannot_break_the_page_with_a_translation(submission: Submission) -> None:
    submission.version.files["texts.zh-hans.yaml"] = f'"{OWN}": "{{n:99999999999}}{{right}}"\n'
    assert said(submission, "zh-hans") == "the double of 2 is 4：3 个元素"


def test_a_report_from_before_sentences_were_kept_reads_as_it_was(
    owner: User, problem: Problem
) -> None:
    submission = reject(send(owner, problem))
    for language in ("en", "zh-hans"):
        assert said(submission, language).startswith("The sign must stay, double(-1) gave 2")


def test_the_page_says_it_and_what_the_case_is_there_to_catch(
    owner_client: Client, submission: Submission
) -> None:
    chinese = owner_client.get(submission.get_absolute_url(), headers={"accept-language": "zh-CN"})
    page = chinese.content.decode()
    assert "2 的两倍是 4：3 个元素" in page
    assert "忘记的符号" in page
    assert "the double of" not in page
    english = owner_client.get(submission.get_absolute_url(), headers={"accept-language": "en"})
    assert "The double of 2 is 4: 3 elements" in english.content.decode()
