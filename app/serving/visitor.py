"""A browser in a few lines: signs in, posts, watches. For measuring and testing the whole site."""

from __future__ import annotations

import http.client
import json
import re
from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit
from uuid import UUID

from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

ANSWER_LIMIT_S = 30.0


class Refused(Exception):
    """The site answered something else than was asked for."""


class Visitor:
    """One signed-in browser at `address`, such as ``http://127.0.0.1:8000``."""

    def __init__(self, address: str) -> None:
        self.address = address
        self._cookies: dict[str, str] = {}
        where = urlsplit(address)
        assert where.hostname is not None  # noqa: S101  ours to give
        self._connection = http.client.HTTPConnection(
            where.hostname, where.port, timeout=ANSWER_LIMIT_S
        )

    def enter(self, link: str) -> None:
        """Sign in with the owner's link, and look at the home page for a CSRF token."""
        self._request("GET", urlsplit(link).path, expected=302)
        self.get("/")

    def get(self, path: str) -> str:
        """The page at `path`. Raises Refused unless it is there.

        Asked for again, as a browser does, where the kept connection has died meanwhile.
        """
        try:
            return self._request("GET", path, expected=200)[1]
        except ConnectionError:
            return self._request("GET", path, expected=200)[1]

    def post(self, path: str, form: dict[str, str]) -> str:
        """Send a plain form; where the site leads next. Raises Refused if it leads nowhere."""
        return self._request("POST", path, 302, form)[0]

    def submit(self, slug: str, source: str, kind: str = "submit") -> UUID:
        """Send a source as the plain form does; the submission's id."""
        location = self.post(f"/problems/{slug}/submit/", {"source": source, "kind": kind})
        match = re.fullmatch(r"/submissions/([0-9a-f-]{36})/", location)
        if match is None:
            raise Refused(f"a submission must lead to its own page, got {location}")
        return UUID(match[1])

    def socket(self, submission: UUID, after: int = 0) -> ClientConnection:
        """An open socket that follows a submission from the event after `after`."""
        scheme_less = self.address.removeprefix("http")
        return connect(
            f"ws{scheme_less}/ws/submissions/{submission}/?after={after}",
            origin=Origin(self.address),
            additional_headers={"Cookie": self._cookie_header()},
            open_timeout=ANSWER_LIMIT_S,
            proxy=None,
        )

    def watch(
        self, submission: UUID, after: int = 0, limit_s: float = 60.0
    ) -> Iterator[dict[str, Any]]:
        """Every message about a submission until its end, which is the last.

        Raises TimeoutError if nothing comes for `limit_s` seconds, and
        `websockets.exceptions.ConnectionClosed` if the server goes away.
        """
        with self.socket(submission, after) as socket:
            while True:
                message = json.loads(socket.recv(timeout=limit_s))
                yield message
                if message["type"] == "end":
                    return

    def close(self) -> None:
        """Close the connection that is kept alive."""
        self._connection.close()

    def _request(
        self, method: str, path: str, expected: int, form: dict[str, str] | None = None
    ) -> tuple[str, str]:
        headers = {"Cookie": self._cookie_header()}
        body = None
        if form is not None:
            body = urlencode(form)
            headers["Content-Type"] = "application/x-www-form-urlencoded"
            headers["X-CSRFToken"] = self._cookies.get("csrftoken", "")
        try:
            self._connection.request(method, path, body, headers)
            response = self._connection.getresponse()
            text = response.read().decode()
        except (http.client.HTTPException, OSError):
            self._connection.close()  # the next request opens a new one
            raise
        for header in response.headers.get_all("Set-Cookie", []):
            for name, morsel in SimpleCookie(header).items():
                self._cookies[name] = morsel.value
        if response.status != expected:
            raise Refused(f"{method} {path} must answer {expected}, got {response.status}: {text}")
        return response.headers.get("Location", ""), text

    def _cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self._cookies.items())
