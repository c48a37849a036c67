"""A real Chromium against a real ASGI server, which shares the tests' database."""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Callable, Iterator

import pytest
import uvicorn
from channels.routing import ProtocolTypeRouter
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from app.accounts.models import User
from app.editor.__main__ import main as build_bundle
from app.practice.models import Submission

CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 360, "height": 740}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "tests/browser" in item.path.as_posix():
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def bundle() -> None:
    """The scripts, bundled if they are not current."""
    assert build_bundle() == 0


@pytest.fixture(scope="session")
def server(bundle: None) -> Iterator[str]:
    """The site's address. It answers in a thread, as long as the tests run."""
    from app.asgi import application, django_application

    routes = dict(application.application_mapping)
    # Straight from app/static: nothing has to be collected first.
    routes["http"] = ASGIStaticFilesHandler(django_application)
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        ProtocolTypeRouter(routes), log_level="warning", lifespan="off", ws="websockets-sansio"
    )
    uvicorn_server = uvicorn.Server(config)
    thread = threading.Thread(target=uvicorn_server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    uvicorn_server.should_exit = True
    uvicorn_server.force_exit = True
    thread.join(timeout=10)
    listener.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Per module: while it lives its event loop counts as running in this thread."""
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    assert path is not None, "browser tests need a Chromium, none was found; script/test gets one"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def published(transactional_db: None, monkeypatch: pytest.MonkeyPatch) -> list[Submission]:
    """What was handed to the queue, in place of a queue; and sockets that look often."""
    handed: list[Submission] = []
    monkeypatch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")  # Playwright's loop is not Django's
    monkeypatch.setattr("app.practice.views.submissions.publish", handed.append)
    monkeypatch.setattr("app.practice.views.submissions.ring", lambda *args, **kwargs: None)
    monkeypatch.setattr("app.practice.consumers.LOOK_INTERVAL_S", 0.1)
    return handed


OpenBrowser = Callable[..., BrowserContext]


@pytest.fixture
def open_browser(
    server: str, chromium: Browser, published: list[Submission]
) -> Iterator[OpenBrowser]:
    """Opens a browser of its own for a person: ``open_browser(user, **options)``."""
    contexts: list[BrowserContext] = []

    def opened(user: User | None, **options: object) -> BrowserContext:
        settings: dict[str, object] = {"base_url": server, "viewport": WIDE, "locale": "en-GB"}
        context = chromium.new_context(**(settings | options))  # type: ignore[arg-type]
        context.set_default_timeout(10_000)
        contexts.append(context)
        if user is not None:
            context.add_cookies([{"name": "sessionid", "value": session_of(user), "url": server}])
        return context

    yield opened
    for context in contexts:
        context.close()


def session_of(user: User) -> str:
    """The key of a fresh session of this person."""
    client = Client()
    client.force_login(user)
    return client.cookies["sessionid"].value


@pytest.fixture
def page(open_browser: OpenBrowser, owner: User) -> Page:
    """A page of the owner's browser."""
    return open_browser(owner).new_page()
