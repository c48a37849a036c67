"""Addresses: what can be listened on, and what is said when it cannot."""

from __future__ import annotations

import errno
import socket
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from app.serving.address import (
    CannotListen,
    base_url,
    listening,
    sign_in_page_status,
    why_not_listening,
)


def test_a_taken_port_says_which_and_what_to_do() -> None:
    with (
        listening("127.0.0.1", 0) as taken,
        pytest.raises(CannotListen, match=r"Port .* another program .* script/run --port"),
        listening("127.0.0.1", taken.getsockname()[1]),
    ):
        pass


def test_an_address_of_another_machine_is_refused() -> None:
    with pytest.raises(CannotListen, match="must be an address of this machine"):  # noqa: SIM117
        with listening("192.0.2.1", 0):  # reserved for documentation: nobody has it
            pass


def test_a_port_of_roots_is_refused_in_words() -> None:
    error = PermissionError(errno.EACCES, "Permission denied")
    assert "below 1024 belong to root, got 81" in why_not_listening(error, "127.0.0.1", 81)


def test_the_link_names_a_host_that_can_be_opened() -> None:
    with listening("0.0.0.0", 0) as everywhere:  # noqa: S104  closed again at once
        port = everywhere.getsockname()[1]
        assert base_url("", everywhere) == f"http://localhost:{port}"
        assert base_url("::1", everywhere) == f"http://[::1]:{port}"


@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_page_is_asked_for_by_a_name_that_the_site_answers_to(status: int) -> None:
    hosts = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            hosts.append(self.headers["Host"])
            self.send_response(status)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Site)
    thread = Thread(target=server.handle_request)
    thread.start()
    try:
        assert sign_in_page_status(server.socket, ["*", ".org", "practice.example"]) == status
    finally:
        thread.join()
        server.server_close()
    assert hosts == ["practice.example"]


def test_a_socket_that_nobody_serves_does_not_answer() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert sign_in_page_status(closed, []) is None
