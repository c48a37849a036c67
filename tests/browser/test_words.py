"""A rejection in two languages: judged once, by the real graders, and read by two people."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Locator, Page, expect

from app.accounts.models import User
from app.practice.loading import load_problems
from app.practice.models import Problem, Submission
from app.practice.tasks import judge_submission
from problems.package import SHIPPED
from tests.app.practice_data import WRONG, accept, reject, send
from tests.browser.conftest import OpenBrowser

ENGLISH = re.compile(r"\b[A-Za-z][a-z]*(?: [a-z]+){2,}\b")  # three words in a row
WRITTEN_BY = "script, style, code, pre"  # programs and names, the same in every language


@pytest.fixture
def shipped(transactional_db: None) -> None:
    load_problems([SHIPPED])


@pytest.fixture(autouse=True)
def no_broker(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.practice.tasks.ring", lambda *args, **kwargs: None)


def words_of(place: Locator) -> list[str]:
    """Every text in there that a person sees, hovers over or hears."""
    texts: list[str] = place.evaluate(
        """(place, leave_out) => {
          const found = [];
          const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
          while (walker.nextNode()) {
            if (!walker.currentNode.parentElement.closest(leave_out)) {
              found.push(walker.currentNode.data);
            }
          }
          for (const one of place.querySelectorAll("[title], [aria-label]")) {
            found.push(one.getAttribute("title") ?? "", one.getAttribute("aria-label") ?? "");
          }
          return found.map(text => text.trim()).filter(text => text);
        }""",
        WRITTEN_BY,
    )
    return texts


def watched(page: Page, submission: Submission) -> Locator:
    """The panel of a submission that is judged while the page is open, timeline and all."""
    page.goto(submission.get_absolute_url())
    expect(page.locator(".queue-place")).to_be_visible()
    judge_submission(str(submission.pk))
    expect(page.locator(".verdict-slot .banner")).to_be_visible()
    page.locator("details").evaluate_all("all => all.forEach(one => one.open = true)")
    return page.locator("live-submission")


@pytest.mark.parametrize(
    ("slug", "file", "chinese", "english"),
    [
        (
            "ring-all-reduce",
            "blocking_sends_deadlock.py",
            [
                "死锁：每个等待都必须由另一端来满足",
                "rank 0 在等待它发往 rank 1 的 isend",
                "2 条消息",
            ],
            ["Deadlock: every wait must be met", "rank 0 waits for its isend to rank 1"],
        ),
        (
            "parallelism-sizing",
            "forgot_master_weights.py",
            ["optimizer_bytes 应为", "漏了 fp32 主权重", "fp32 主权重、动量、方差，ZeRO-0 不切分"],
            ["optimizer_bytes must be", "the fp32 master weights are missing"],
        ),
    ],
)
def test_each_reader_sees_the_rejection_in_their_language(
    open_browser: OpenBrowser,
    shipped: None,
    owner: User,
    staff: User,
    slug: str,
    file: str,
    chinese: list[str],
    english: list[str],
) -> None:
    problem = Problem.objects.get(slug=slug)
    package = SHIPPED / f"round-{problem.round}" / slug
    source = (package / "submissions" / "wrong_answer" / file).read_text()
    submission = send(owner, problem, source, Submission.Kind.RUN)
    reader = open_browser(owner, locale="zh-CN").new_page()
    panel = watched(reader, submission)
    for text in chinese:
        expect(panel).to_contain_text(text)
    expect(panel.locator(".timeline")).to_contain_text("用例 1/")
    assert [text for text in words_of(panel) if ENGLISH.search(text)] == []
    other = open_browser(staff, locale="en-GB").new_page()
    other.goto(submission.get_absolute_url())
    for text in english:
        expect(other.locator(".verdict-slot")).to_contain_text(text)
    chinese_left = re.compile("[\u4e00-\u9fff]")
    assert [text for text in words_of(other.locator("main")) if chinese_left.search(text)] == []


@pytest.fixture
def chinese_problem(problem: Problem) -> Problem:
    """A problem whose author writes Chinese: what is English on its pages is the site's own."""
    version = problem.current_version
    assert version is not None
    version.spec_json |= {
        "title": "加倍",
        "cases": [
            {"name": name, "breaks": "常数", "sample": name == "two", "input": {"number": 2}}
            for name in ("two", "minus-one")
        ],
        "hints": ["自己加自己。"],
        "follow_ups": [{"question": "浮点数呢？", "points": ["一样，精确。"]}],
        "source": [{"title": "为测试而写"}],
    }
    version.files |= {"statement.md": "返回两倍。", "editorial.md": "自己加自己。"}
    version.save()
    problem.title, problem.summary, problem.tags = "加倍", "返回两倍。", []
    problem.save()
    return problem


def test_a_chinese_reader_meets_no_english_on_any_page(
    open_browser: OpenBrowser, owner: User, chinese_problem: Problem
) -> None:
    page = open_browser(owner, locale="zh-CN").new_page()
    url = chinese_problem.get_absolute_url()
    before = [url, f"{url}editorial/", "/submissions/"]
    rejected = reject(send(owner, chinese_problem, WRONG))
    accepted = accept(send(owner, chinese_problem))
    cancelled = send(owner, chinese_problem)
    cancelled.cancel()
    waiting = send(owner, chinese_problem, kind=Submission.Kind.RUN)
    own = [one.get_absolute_url() for one in (rejected, accepted, cancelled, waiting)]
    compared = f"{url}diff/?left={accepted.pk}&right={rejected.pk}"
    rounds = [f"/rounds/{number}/" for number in range(1, 8)]
    pages = ["/", *rounds, *before, *own, compared, "/accounts/settings/", "/problems/nope/"]
    for path in pages:
        page.goto(path)
        english = [
            text
            for text in words_of(page.locator("html"))
            if ENGLISH.search(text) and "double(-1)" not in text  # the package's checker's
        ]
        assert english == [], path
    visitor = open_browser(None, locale="zh-CN").new_page()
    for path in ("/accounts/login/", "/accounts/register/"):
        visitor.goto(path)
        assert [text for text in words_of(visitor.locator("html")) if ENGLISH.search(text)] == []
