"""How the pages look and behave everywhere: phone, dark, offline, keyboard, Chinese."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from app.accounts.models import User
from app.practice.models import Draft, Problem
from tests.app.practice_data import WRONG, accept, another_problem, reject, send
from tests.browser.conftest import PHONE, OpenBrowser
from tests.browser.editor_page import URL, editor

INKS = ("--ink", "--muted", "--accent", "--ok", "--warn", "--bad", "--ours")
GROUNDS = ("--surface", "--raised")
PAIRS = [(ink, ground) for ink in INKS for ground in GROUNDS] + [
    ("--on-accent", "--accent"),
    ("--on-ok", "--ok"),
    ("--on-bad", "--bad"),
    ("--accent", "--accent-soft"),
    ("--ok", "--ok-soft"),
    ("--warn", "--warn-soft"),
    ("--bad", "--bad-soft"),
    ("--ours", "--ours-soft"),
    ("--ink", "--diff-old"),
    ("--ink", "--diff-new"),
    ("--code-keyword", "--raised"),
    ("--code-string", "--raised"),
    ("--code-number", "--raised"),
    ("--code-comment", "--raised"),
    ("--code-function", "--raised"),
]
READABLE = 4.5  # WCAG 2.2, level AA, text of ordinary size


@pytest.fixture
def paths(owner: User, problem: Problem) -> list[str]:
    """Every page that a candidate sees, with something on it."""
    accepted, rejected = accept(send(owner, problem)), reject(send(owner, problem, WRONG))
    return [
        "/",
        "/rounds/3/",
        "/rounds/1/",
        URL,
        f"{URL}diff/?left={accepted.pk}&right={rejected.pk}",
        f"{URL}editorial/",
        "/submissions/",
        f"/submissions/{rejected.pk}/",
        "/accounts/settings/",
        "/problems/nope/",
    ]


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone_or_asks_anybody_else_or_complains(
    open_browser: OpenBrowser,
    owner: User,
    server: str,
    paths: list[str],
    scheme: str,
    language: str,
) -> None:
    context = open_browser(owner, viewport=PHONE, color_scheme=scheme, locale=language)
    page = context.new_page()
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    for path in paths:
        page.goto(path, wait_until="networkidle")
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], f"{path} is {width} px wide"
    assert all(url.startswith((server, "data:")) for url in asked)
    # The page that is not there says so in the console too.
    assert [text for text in complaints if "404 (Not Found)" not in text] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_is_readable_on_its_ground(
    open_browser: OpenBrowser, owner: User, scheme: str
) -> None:
    page = open_browser(owner, color_scheme=scheme).new_page()
    page.goto("/")
    ratios = page.evaluate(
        """pairs => {
          const probe = document.body.appendChild(document.createElement('p'));
          const canvas = document.createElement('canvas').getContext('2d');
          const luminance = name => {
            probe.style.color = `var(${name})`;
            canvas.fillStyle = getComputedStyle(probe).color;
            canvas.fillRect(0, 0, 1, 1);
            const [r, g, b] = [...canvas.getImageData(0, 0, 1, 1).data].map(value => {
              const share = value / 255;
              return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
            });
            return 0.2126 * r + 0.7152 * g + 0.0722 * b;
          };
          return pairs.map(([ink, ground]) => {
            const [dark, light] = [luminance(ink), luminance(ground)].sort((a, b) => a - b);
            return (light + 0.05) / (dark + 0.05);
          });
        }""",
        PAIRS,
    )
    assert len(set(ratios)) > 10  # the colours were really read
    poor = {pair: ratio for pair, ratio in zip(PAIRS, ratios, strict=True) if ratio < READABLE}
    assert poor == {}


def background(page: Page) -> str:
    return str(page.evaluate("getComputedStyle(document.documentElement).backgroundColor"))


def test_the_chosen_theme_beats_the_systems_on_the_first_paint(
    open_browser: OpenBrowser, owner: User
) -> None:
    context = open_browser(owner, color_scheme="light", java_script_enabled=False)
    page = context.new_page()
    page.goto("/accounts/settings/")
    light = page.screenshot()
    page.locator("main").get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    assert page.screenshot() != light
    page.goto("/")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")


def test_the_systems_theme_is_followed_where_none_is_chosen(
    open_browser: OpenBrowser, owner: User
) -> None:
    page = open_browser(owner, color_scheme="dark").new_page()
    page.goto("/")
    dark = background(page)
    page.emulate_media(color_scheme="light")
    assert background(page) != dark


def test_mathematics_figures_and_code_are_typeset(page: Page, problem: Problem) -> None:
    page.goto(URL)
    expect(page.locator(".prose .katex").first).to_be_visible()
    expect(page.locator(".cm-content .cm-line").first).to_contain_text("def double")
    keyword = page.locator(".cm-content .cm-line span").first
    plain = page.evaluate("getComputedStyle(document.body).color")
    assert keyword.evaluate("span => getComputedStyle(span).color") != plain


def test_a_phone_has_tabs_and_a_result_comes_to_the_front(
    open_browser: OpenBrowser, owner: User, problem: Problem
) -> None:
    page = open_browser(owner, viewport=PHONE).new_page()
    page.goto(URL)
    expect(page.locator(".prose").first).to_be_visible()
    expect(editor(page)).to_be_hidden()
    page.get_by_role("tab", name="Code").click()
    expect(editor(page)).to_be_visible()
    expect(page.locator(".prose").first).to_be_hidden()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#panel live-submission")).to_be_visible()
    expect(page.get_by_role("tab", name="Result")).to_have_attribute("aria-selected", "true")


def test_the_split_moves_by_keyboard_and_stays_after_a_reload(page: Page, problem: Problem) -> None:
    page.goto(URL)
    pane = page.locator("#pane-problem")
    splitter = page.get_by_role("separator")
    before = pane.evaluate("pane => pane.clientWidth")
    splitter.focus()
    for _press in range(5):
        page.keyboard.press("ArrowRight")
    after = pane.evaluate("pane => pane.clientWidth")
    assert after > before + 100
    page.reload()
    assert pane.evaluate("pane => pane.clientWidth") == after


def test_the_keyboard_reaches_the_content_first_and_shows_where_it_is(
    page: Page, problem: Problem
) -> None:
    page.goto("/")
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    assert skip.evaluate("link => getComputedStyle(link).outlineStyle") != "none"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.locator(".continue")).to_be_focused()


def test_the_editor_can_be_left_by_keyboard(page: Page, problem: Problem) -> None:
    page.goto(URL)
    editor(page).click()
    page.keyboard.press("Escape")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Run")).to_be_focused()


def test_two_submissions_are_compared_side_by_side(
    page: Page, owner: User, problem: Problem
) -> None:
    one, two = send(owner, problem, "same = 1\none = 1\n"), send(owner, problem, "same = 1\n")
    page.goto(f"{URL}diff/?left={one.pk}&right={two.pk}")
    expect(page.locator(".cm-merge-a .cm-deletedChunk, .cm-merge-a .cm-changedLine")).to_have_count(
        1
    )
    Draft.save_text(owner, problem, "draft = 1\n", 0)
    page.get_by_label("Right").select_option("draft")
    expect(page.locator(".cm-merge-b")).to_contain_text("draft = 1")


def test_the_history_filters_in_place_and_can_be_bookmarked(
    page: Page, owner: User, problem: Problem
) -> None:
    other = another_problem(problem, "triple", title="Triple")
    accept(send(owner, problem))
    reject(send(owner, other))
    page.goto("/submissions/")
    rows = page.locator(".history tbody tr")
    expect(rows).to_have_count(2)
    page.evaluate("window.sameDocument = true")
    page.get_by_label("Verdict").select_option("WA")
    expect(rows).to_have_count(1)
    expect(rows).to_contain_text("Triple")
    assert page.evaluate("window.sameDocument")
    assert "verdict=WA" in page.url
    page.reload()
    expect(rows).to_have_count(1)


def test_an_injected_script_does_not_run(page: Page, owner: User) -> None:
    page.goto("/")
    refused = page.evaluate(
        """() => new Promise(resolve => {
          document.addEventListener('securitypolicyviolation',
            event => resolve(event.violatedDirective), {once: true});
          const script = document.createElement('script');
          script.textContent = 'window.injected = true';
          document.body.append(script);
          setTimeout(() => resolve('it ran'), 3000);
        })"""
    )
    assert refused == "script-src-elem"
    assert page.evaluate("window.injected") is None
