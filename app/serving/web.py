"""The web server on a socket that the supervisor holds: ``python -m app.serving.web FD``.

The supervisor listens and this process only accepts. While it is started again after a crash,
connections wait in the socket's backlog and are not refused.
"""

from __future__ import annotations

import socket
import sys

import uvicorn

# Open websockets would hold a stopping server for ever; browsers reconnect by themselves.
GRACEFUL_SHUTDOWN_S = 2


def main() -> None:
    # By number and not by uvicorn's own --fd, which takes every socket for a Unix one and so
    # leaves Nagle's algorithm on.
    listener = socket.socket(fileno=int(sys.argv[1]))
    config = uvicorn.Config(
        "app.asgi:application",
        lifespan="off",
        log_config=None,  # Django's settings configure logging
        server_header=False,
        timeout_graceful_shutdown=GRACEFUL_SHUTDOWN_S,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
