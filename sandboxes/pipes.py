"""The pipes between a run and its program, which both backends make alike."""

from __future__ import annotations

import contextlib
import fcntl
import os

_PIPE_BYTES = 1 << 20  # frames of numpy data move in fewer turns than with 64 KiB


class Pipes:
    """Our ends as attributes, the program's in `theirs` until `close_theirs`.

    Attributes
    ----------
    theirs : list of int
        What become descriptors 0, 1 and 2 of the program, and 3 and 4 if interactive.
    output_fds : list of int
        Read ends: one pipe for both streams if interactive, else standard output, then error.
    request_fd, answer_fd : int or None
        Of the frames, if interactive: our ends of the program's descriptors 3 and 4.
    """

    def __init__(self, interactive: bool, stdin: bytes) -> None:
        self.request_fd: int | None = None
        self.answer_fd: int | None = None
        self.output_fds: list[int] = []
        self.theirs: list[int] = []
        self._close_theirs = contextlib.ExitStack()
        try:
            self.theirs = [self._stdin(stdin), *self._output(interactive)]
            if interactive:
                self.theirs += self._frames()
        except BaseException:
            self.close_theirs()
            self.close_ours()
            raise

    def close_theirs(self) -> None:
        """Close the program's ends here, once it has them."""
        self._close_theirs.close()

    def close_ours(self) -> None:
        """Close our ends, after a start that failed; else `Run` and `Output` do."""
        for fd in (self.request_fd, self.answer_fd, *self.output_fds):
            if fd is not None:
                os.close(fd)

    def _stdin(self, stdin: bytes) -> int:
        fd = memory_file(stdin) if stdin else os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._close_theirs.callback(os.close, fd)
        return fd

    def _output(self, interactive: bool) -> list[int]:
        first = self._write_end()
        # One pipe for both keeps the order of arrival; a batch run tells them apart.
        return [first, first] if interactive else [first, self._write_end()]

    def _write_end(self) -> int:
        read_fd, write_fd = os.pipe2(os.O_CLOEXEC)
        self.output_fds.append(read_fd)
        self._close_theirs.callback(os.close, write_fd)
        return write_fd

    def _frames(self) -> list[int]:
        requests_read, self.request_fd = os.pipe2(os.O_CLOEXEC)
        self._close_theirs.callback(os.close, requests_read)
        self.answer_fd, answers_write = os.pipe2(os.O_CLOEXEC)
        self._close_theirs.callback(os.close, answers_write)
        with contextlib.suppress(OSError):  # over the user's share of pipe memory
            for fd in (self.request_fd, self.answer_fd):
                fcntl.fcntl(fd, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        for fd in (self.request_fd, self.answer_fd):
            os.set_blocking(fd, False)
        return [requests_read, answers_write]


def memory_file(content: bytes) -> int:
    """A descriptor of a file in memory, to be read from its beginning; the caller closes it."""
    fd = os.memfd_create("gauntlet", os.MFD_CLOEXEC)
    try:
        view = memoryview(content)
        while view:
            view = view[os.write(fd, view) :]
        os.lseek(fd, 0, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd
