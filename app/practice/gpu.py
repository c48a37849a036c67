"""This host's GPU: whether kernels can be timed on it, and the programs of ours that do.

They are no sandboxes. What runs in them is our own code, with the worker's rights; a submission
reaches them as data only, as a plan that was read and checked.

``GPU`` in the environment is ``auto`` (a worker uses a GPU if it finds one), ``off`` or ``on`` (it
must find one). ``GPU_PYTHON`` names the interpreter of those programs where it is not the site's
own: it needs cuda-bindings and numpy, and torch with CUDA for the vendor's library.
"""

from __future__ import annotations

import json
import os
import selectors
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from graders.ports import Outcome, Output, ProgramSpec, StopReason, Usage
from sandboxes.frames import FrameReader, framed

ROOT = Path(__file__).resolve().parent.parent.parent
PROBE_LIMIT_S = 60.0
FRAME_LIMIT_BYTES = (4 << 30) - 1
_CHUNK_BYTES = 1 << 20
_PROBE = (
    "import json, dataclasses; from graders.kernel.device.driver import Device;"
    "print(json.dumps(dataclasses.asdict(Device().properties)))"
)


class GpuUnusable(Exception):
    """GPU=on, and there is none that works; the message says why."""


@cache
def properties() -> Mapping[str, Any] | None:
    """What the driver says about this host's GPU; None without one.

    A process of its own asks: a worker forks, and a process that forks must not hold a context.

    Raises
    ------
    GpuUnusable
        If the environment says that there must be one.
    """
    wanted = os.environ.get("GPU", "auto")
    if wanted not in ("auto", "on", "off"):
        raise GpuUnusable(f"GPU must be auto, on or off, got {wanted!r}")
    # The device file is there on every machine with NVIDIA's driver, and asking it costs nothing.
    if wanted == "off" or (wanted == "auto" and not Path("/dev/nvidiactl").exists()):
        return None
    asked = subprocess.run(
        [python(), "-c", _PROBE],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PROBE_LIMIT_S,
        check=False,
    )
    if asked.returncode != 0:
        if wanted == "on":
            why = asked.stderr.strip().splitlines()[-1:]
            raise GpuUnusable(f"GPU is on and no GPU answers: {' '.join(why)}")
        return None
    found: Mapping[str, Any] = json.loads(asked.stdout)
    return found


def python() -> str:
    """The interpreter of our programs on the GPU."""
    return os.environ.get("GPU_PYTHON") or sys.executable


def lock_folder() -> Path:
    """Where the locks lie that let one judging at a time use a GPU, whatever site it is of.

    Raises
    ------
    PermissionError
        If somebody else owns the folder.
    """
    given = os.environ.get("GPU_LOCK_DIR")
    if given:
        return Path(given)
    folder = Path(tempfile.gettempdir()) / f"gauntlet-gpu-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise PermissionError(f"{folder} must belong to this user; set GPU_LOCK_DIR to another one")
    return folder


class GpuProgram:
    """A program of ours, as the grader expects programs: frames over its standard streams."""

    def __init__(self, spec: ProgramSpec) -> None:
        self._started = time.monotonic()
        self._process = subprocess.Popen(
            [python(), *spec.argv[1:]],
            cwd=ROOT,
            env={**os.environ, "GPU_LOCK_DIR": str(lock_folder())},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )
        assert self._process.stdin  # noqa: S101  # both are pipes
        assert self._process.stdout  # noqa: S101
        self._input, self._output = self._process.stdin, self._process.stdout
        os.set_blocking(self._output.fileno(), False)
        self._reader = FrameReader(FRAME_LIMIT_BYTES)
        self._lock = threading.Lock()  # the heartbeat's thread may close it
        self._outcome: Outcome | None = None

    def send(self, frame: bytes) -> None:
        try:
            self._input.write(framed(frame))
            self._input.flush()
        except (BrokenPipeError, ValueError):
            return  # `receive` tells how it ended

    def receive(self, time_limit_s: float) -> bytes | Outcome:
        deadline = time.monotonic() + time_limit_s
        with selectors.DefaultSelector() as selector:
            selector.register(self._output, selectors.EVENT_READ)
            while True:
                frame = self._reader.take()
                if frame is not None:
                    return frame
                left_s = deadline - time.monotonic()
                if left_s <= 0:
                    return self._end(StopReason.WALL_TIME)
                try:
                    if not selector.select(left_s):
                        continue
                    data = os.read(self._output.fileno(), _CHUNK_BYTES)
                except (OSError, ValueError):  # closed by another thread
                    data = b""
                if not data:
                    return self._end(StopReason.EXITED)
                self._reader.feed(data)

    def take_output(self) -> Output:
        """What it prints goes to the worker's log."""
        return Output("", truncated=False)

    def usage(self) -> Usage:
        """Not measured: no candidate pays for it."""
        return Usage(0.0, 0.0)

    def close(self) -> Outcome:
        return self._end(StopReason.SIGNALLED)

    def _end(self, reason: StopReason) -> Outcome:
        with self._lock:
            if self._outcome is None:
                if reason is StopReason.EXITED:
                    exit_code = self._process.wait()
                else:
                    self._process.kill()
                    exit_code = self._process.wait()
                for pipe in (self._input, self._output):
                    try:
                        pipe.close()
                    except BrokenPipeError:  # what was left to send
                        continue
                self._outcome = Outcome(
                    reason, exit_code=exit_code, wall_time_s=time.monotonic() - self._started
                )
            return self._outcome
