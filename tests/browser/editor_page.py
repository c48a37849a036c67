"""What a person does on the problem page."""

from __future__ import annotations

from playwright.sync_api import Locator, Page, expect

URL = "/problems/double/"


def editor(page: Page) -> Locator:
    return page.locator(":is(code-editor, shared-editor) .cm-content")


def text_of(page: Page) -> str:
    return str(page.evaluate("document.querySelector('code-editor, shared-editor').text"))


def write(page: Page, text: str) -> None:
    """Replace everything in the editor, as by select-all and paste."""
    editor(page).click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(text)


def status(page: Page) -> Locator:
    return page.locator(".draft-status")


def expect_saved(page: Page) -> None:
    expect(status(page)).to_have_attribute("data-state", "saved")
