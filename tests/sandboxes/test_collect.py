"""Collecting files from a tree that someone hostile has made."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandboxes.collect import collect


@pytest.fixture
def home(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    folder = tmp_path / "home"
    folder.mkdir()
    (tmp_path / "secret").write_text("secret")
    fd = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    yield folder, fd
    os.close(fd)


def test_a_plain_file_comes_back_whole(home: tuple[Path, int]) -> None:
    folder, fd = home
    (folder / "a").mkdir()
    (folder / "a" / "b").write_bytes(b"x" * 3_000_000)
    assert collect(fd, ["a/b", "a/none"], 3_000_000) == {"a/b": b"x" * 3_000_000}


def test_a_file_over_the_cap_is_left_out(home: tuple[Path, int]) -> None:
    folder, fd = home
    (folder / "big").write_bytes(b"x" * 101)
    with open(folder / "sparse", "wb") as sparse:
        sparse.truncate(1 << 40)
    assert collect(fd, ["big", "sparse"], 100) == {}


def test_links_lead_nowhere(home: tuple[Path, int]) -> None:
    folder, fd = home
    (folder / "absolute").symlink_to("/etc/hostname")
    (folder / "up").symlink_to("../secret")
    (folder / "inside").symlink_to("real")
    (folder / "real").write_text("x")
    (folder / "folder").symlink_to("..")
    os.link(folder.parent / "secret", folder / "hard")
    names = ["absolute", "up", "inside", "folder/secret", "hard", "../secret", "/etc/hostname"]
    assert collect(fd, [*names, "real"], 100) == {"real": b"x"}


def test_what_is_no_file_is_left_out_without_waiting(home: tuple[Path, int]) -> None:
    folder, fd = home
    os.mkfifo(folder / "fifo")
    (folder / "folder").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        here = os.getcwd()
        os.chdir(folder)  # a socket's path must be short
        try:
            server.bind("socket")
        finally:
            os.chdir(here)
        assert collect(fd, ["fifo", "folder", "socket", "."], 100) == {}
