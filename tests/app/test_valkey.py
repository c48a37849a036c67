"""The private Valkey: private, without a port, and gone without a trace."""

from __future__ import annotations

import stat
import subprocess
import time
from pathlib import Path

import pytest

from app import valkey


def test_it_answers_on_a_socket_that_only_the_owner_may_open(tmp_path: Path) -> None:
    socket_path = tmp_path / "valkey.sock"
    url = f"unix://{socket_path}"
    assert not valkey.answers(url)
    with subprocess.Popen(valkey.server_command(socket_path), stdout=subprocess.DEVNULL) as server:
        deadline = time.monotonic() + 20
        while not valkey.answers(url) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert valkey.answers(url)
        assert stat.S_IMODE(socket_path.stat().st_mode) == 0o600
        listening = Path(f"/proc/{server.pid}/net/tcp").read_text()
        inodes = {
            link.readlink().name.removeprefix("socket:[").rstrip("]")
            for link in Path(f"/proc/{server.pid}/fd").iterdir()
            if link.readlink().name.startswith("socket:")
        }
        assert inodes, "the test could not see the server's sockets"
        assert not any(line.split()[9] in inodes for line in listening.splitlines()[1:])
        server.terminate()
        assert server.wait(20) == 0
    assert not valkey.answers(url)
    assert list(tmp_path.iterdir()) == [], "it must leave nothing on disk"


def test_a_path_too_long_for_a_socket_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(valkey.SocketPathTooLong, match=r"107 bytes at most.*Set DATA_DIR"):
        valkey.server_command(tmp_path / ("x" * 120))
