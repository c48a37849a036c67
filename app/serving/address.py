"""Where the site listens: the socket that outlives each web server, and the address to open."""

from __future__ import annotations

import errno
import http.client
import socket
from collections.abc import Iterator
from contextlib import contextmanager

PROBE_LIMIT_S = 3.0


class CannotListen(Exception):
    """The address cannot be had; the message is a sentence for a person."""


def base_url(host: str, listener: socket.socket) -> str:
    """The address to open: a host that listens everywhere is reached as localhost."""
    port = listener.getsockname()[1]
    if host in ("0.0.0.0", "::", ""):  # noqa: S104  compared, not bound
        host = "localhost"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def sign_in_page_status(listener: socket.socket, allowed_hosts: list[str]) -> int | None:
    """HTTP status of the sign-in page, asked for by a name that the site answers to.

    None as long as nobody answers.
    """
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104
    names = [name for name in allowed_hosts if not name.startswith(("*", "."))]
    connection = http.client.HTTPConnection(host, port, timeout=PROBE_LIMIT_S)
    try:
        connection.request("GET", "/accounts/login/", headers={"Host": names[0] if names else host})
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


@contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A listening socket for the web server.

    Raises
    ------
    CannotListen
        If the address cannot be had; the message says what to do.
    """
    try:
        family, kind, protocol, _name, where = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except (OSError, OverflowError) as error:
        raise CannotListen(
            f"--host and --port must be an address of this machine, got {host}:{port} ({error})."
        ) from None
    with listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(where)
            listener.listen(1024)
        except OSError as error:
            raise CannotListen(why_not_listening(error, host, port)) from None
        yield listener


def why_not_listening(error: OSError, host: str, port: int) -> str:
    """The rule, the fact and what to do, for a socket that could not be bound."""
    if error.errno == errno.EADDRINUSE:
        return (
            f"Port {port} on {host} must be free, and another program listens on it. "
            f"Stop that program, or choose another port: script/run --port {port + 1}"
        )
    if error.errno == errno.EACCES:
        return (
            f"Ports below 1024 belong to root, got {port}. "
            "Choose a higher one, for example: script/run --port 8000"
        )
    return (
        f"--host must be an address of this machine, got {host} ({error.strerror}). "
        "Leave it out to listen on 127.0.0.1."
    )
