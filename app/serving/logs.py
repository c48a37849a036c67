"""Where the output of the site's processes goes: all of it to files, little of it to a person."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import sys
import time
from collections import deque
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TextIO

LOG_FILE_BYTES = 4 * 1024 * 1024
LOG_FILES_KEPT = 3
LONGEST_LINE_BYTES = 64 * 1024
SHOWN_WARNINGS = 6  # of one process within...
WARNINGS_WINDOW_S = 10.0  # ...this long; the rest is in its file

# The format that app.settings.LOGGING gives every line.
_LINE = re.compile(
    r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} (?P<level>[A-Z]+) (?P<logger>\S+) (?P<message>.*)$"
)
_COLOURS = {"dim": "2", "green": "32", "yellow": "33", "red": "31", "bold": "1"}


class Terminal:
    """What a person reads. Colour only where a terminal shows it; a closed one is no error."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream or sys.stdout
        self._coloured = self._stream.isatty() and not os.environ.get("NO_COLOR")

    def tell(self, text: str, colour: str = "") -> None:
        if colour and self._coloured:
            text = f"\x1b[{_COLOURS[colour]}m{text}\x1b[0m"
        with contextlib.suppress(OSError, ValueError):
            self._stream.write(text + "\n")
            self._stream.flush()


class _QuietFile(RotatingFileHandler):
    """A full disk must not end the supervisor, nor print a traceback for every line."""

    def handleError(self, record: logging.LogRecord) -> None:
        pass


class ChildLog:
    """The output of one process: every line to its file, the telling ones to the terminal."""

    def __init__(self, name: str, folder: Path, terminal: Terminal) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.name = name
        self.path = folder / f"{name}.log"
        self.tail: deque[str] = deque(maxlen=15)
        self._terminal = terminal
        self._partial = b""
        self._shown_at: deque[float] = deque(maxlen=SHOWN_WARNINGS)
        self._hidden = False
        self._file = _QuietFile(
            self.path, maxBytes=LOG_FILE_BYTES, backupCount=LOG_FILES_KEPT, encoding="utf-8"
        )

    def feed(self, data: bytes) -> None:
        """Take the next bytes of output, whole lines or not."""
        *lines, self._partial = (self._partial + data).split(b"\n")
        if len(self._partial) > LONGEST_LINE_BYTES:
            lines, self._partial = [*lines, self._partial], b""
        for line in lines:
            self._take(line.decode(errors="replace").rstrip("\r"))

    def note(self, text: str) -> None:
        """Write a line of the supervisor's own into the file."""
        self._take(f"--- {text}")

    def close(self) -> None:
        """Write what is left of an unfinished line and close the file."""
        if self._partial:
            self.feed(b"\n")
        self._file.close()

    def _take(self, line: str) -> None:
        self.tail.append(line)
        self._file.emit(logging.LogRecord(self.name, logging.INFO, "", 0, "%s", (line,), None))
        shown = worth_showing(line)
        if shown is not None:
            self._show(*shown)

    def _show(self, level: str, message: str) -> None:
        if level == "INFO":
            self._terminal.tell(f"{self.name:<7} {message}")
            return
        now = time.monotonic()
        flooded = len(self._shown_at) == SHOWN_WARNINGS and (
            now - self._shown_at[0] < WARNINGS_WINDOW_S
        )
        if not flooded:
            self._shown_at.append(now)
            colour = "yellow" if level == "WARNING" else "red"
            self._terminal.tell(f"{self.name:<7} {level.lower()}: {message}", colour)
        elif not self._hidden:
            self._terminal.tell(f"{self.name:<7} more warnings: see {self.path}", "yellow")
        self._hidden = flooded


def worth_showing(line: str) -> tuple[str, str] | None:
    """Level and message of a line that a person should see: warnings, verdicts, problems saved."""
    match = _LINE.match(line)
    if match is None:
        return None
    level, logger, message = match["level"], match["logger"], match["message"]
    if level == "INFO":
        judged = logger == "app.practice.tasks" and message.startswith("judged ")
        return (level, message) if judged or logger == "app.practice.watching" else None
    if level == "WARNING" and logger == "django.request":
        return None  # a page that does not exist: the visitor has seen it
    return (level, message) if level in ("WARNING", "ERROR", "CRITICAL") else None
