"""What of the processes' output reaches a person, and what only the files."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from app.serving import logs
from app.serving.logs import ChildLog, Terminal, worth_showing

STAMP = "2026-01-02 03:04:05,678"


@pytest.fixture
def screen() -> io.StringIO:
    return io.StringIO()


@pytest.fixture
def log(tmp_path: Path, screen: io.StringIO) -> ChildLog:
    return ChildLog("worker", tmp_path / "log", Terminal(screen))


def test_a_verdict_is_one_line_on_the_terminal(log: ChildLog, screen: io.StringIO) -> None:
    log.feed(f"{STAMP} INFO app.practice.tasks judged ring-all-reduce 17: AC\n".encode())
    assert screen.getvalue() == "worker  judged ring-all-reduce 17: AC\n"


def test_chatter_and_missing_pages_stay_in_the_file(log: ChildLog, screen: io.StringIO) -> None:
    chatter = [
        f"{STAMP} INFO celery.worker.strategy Task received",
        f"{STAMP} WARNING django.request Not Found: /favicon.ico",
        "Traceback (most recent call last):",
        "2026 WARNING is no line of ours",
    ]
    log.feed("\n".join(chatter).encode() + b"\n")
    assert screen.getvalue() == ""
    assert log.path.read_text().splitlines() == chatter


def test_an_error_of_a_request_is_shown() -> None:
    line = f"{STAMP} ERROR django.request Internal Server Error: /"
    assert worth_showing(line) == ("ERROR", "Internal Server Error: /")


def test_a_line_that_arrives_in_pieces_is_one_line(log: ChildLog, screen: io.StringIO) -> None:
    for piece in (STAMP.encode(), b" WARNING app half", b" of it \xff", b"\nnext"):
        log.feed(piece)
    assert screen.getvalue() == "worker  warning: half of it \ufffd\n"
    log.close()
    assert log.path.read_text().splitlines()[1] == "next"


def test_a_flood_of_warnings_is_cut_once(log: ChildLog, screen: io.StringIO) -> None:
    log.feed(f"{STAMP} WARNING app broker away\n".encode() * 50)
    shown = screen.getvalue().splitlines()
    assert len(shown) == logs.SHOWN_WARNINGS + 1
    assert shown[-1] == f"worker  more warnings: see {log.path}"
    assert len(log.path.read_text().splitlines()) == 50


def test_log_files_do_not_grow_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: io.StringIO
) -> None:
    monkeypatch.setattr(logs, "LOG_FILE_BYTES", 1000)
    log = ChildLog("web", tmp_path, Terminal(screen))
    for number in range(2000):
        log.feed(f"line {number}\n".encode())
    files = list(tmp_path.iterdir())
    assert len(files) == logs.LOG_FILES_KEPT + 1
    assert all(file.stat().st_size <= 1000 for file in files)
    assert log.path.read_text().splitlines()[-1] == "line 1999"


def test_a_line_without_an_end_does_not_fill_memory(log: ChildLog) -> None:
    for _ in range(4):
        log.feed(b"x" * logs.LONGEST_LINE_BYTES)
    assert len(log.path.read_text().splitlines()) == 2


def test_a_closed_terminal_is_no_error() -> None:
    class Closed(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    Terminal(Closed()).tell("anybody?")


def test_colour_is_for_terminals_only(screen: io.StringIO) -> None:
    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    coloured = Tty()
    for stream in (screen, coloured):
        Terminal(stream).tell("stop", "red")
    assert screen.getvalue() == "stop\n"
    assert coloured.getvalue() == "\x1b[31mstop\x1b[0m\n"
