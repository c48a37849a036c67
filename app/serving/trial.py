"""A whole site for a while: `manage.py serve` in a folder of its own, on a free port."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from app.serving.visitor import Visitor

PROJECT = Path(__file__).resolve().parent.parent.parent
START_LIMIT_S = 90.0
STOP_LIMIT_S = 30.0
_LINK = re.compile(r"(https?://\S+)/accounts/enter/\S+")


class TrialSite:
    """Starts on entering, ends on leaving.

    Parameters
    ----------
    folder : Path
        Its DATA_DIR; kept, so that the same site can be started again.
    environment : mapping
        Variables on top of this process's.
    arguments : str
        Further arguments of `manage.py serve`.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str], *arguments: str) -> None:
        self.folder = folder
        self.output: list[str] = []
        self.link = self.address = ""
        self._arguments = arguments or ("--port", "0")
        self._environment = dict(os.environ) | dict(environment) | {"DATA_DIR": str(folder)}
        for name in ("REDIS_URL", "DATABASE_URL"):
            self._environment.pop(name, None)
        self._ready = threading.Event()

    def __enter__(self) -> Self:
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "serve", *self._arguments],
            cwd=PROJECT,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        self._ready.wait(START_LIMIT_S)
        if not self.link:
            self.stop()
            raise RuntimeError("the site must start, and said instead:\n" + "".join(self.output))
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> int:
        """End it as Ctrl-C does; its return code."""
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGINT)
        try:
            code = self.process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self._reader.join(STOP_LIMIT_S)
        return code

    def visitor(self) -> Visitor:
        """The owner's browser, signed in. Once: the link is for one use."""
        visitor = Visitor(self.address)
        visitor.enter(self.link)
        return visitor

    def manage(self, *arguments: str) -> None:
        """Run another command of `manage.py` on this site's data."""
        subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=PROJECT,
            env=self._environment,
            check=True,
            capture_output=True,
            text=True,
        )

    def _read(self) -> None:
        assert self.process.stdout is not None  # noqa: S101  a pipe was asked for
        for line in self.process.stdout:
            self.output.append(line)
            match = _LINK.search(line)
            if match:
                self.link, self.address = match[0], match[1]
                self._ready.set()
        self._ready.set()
