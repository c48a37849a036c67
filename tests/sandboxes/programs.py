"""Commands that several tests start."""

from __future__ import annotations

from sandboxes.interface import Command, Limits, Profile


def python(source: str, limits: Limits | None = None, collect: tuple[str, ...] = ()) -> Command:
    """A Python program as its own file."""
    return Command(
        argv=("python", "program.py"),
        files={"program.py": source.encode()},
        limits=limits or Limits(),
        collect=collect,
    )


def compile_cpp(source: str, limits: Limits | None = None) -> Command:
    """A compilation whose executable comes back as ``program``."""
    return Command(
        argv=("/usr/bin/g++", "-std=c++20", "-O1", "-pthread", "program.cpp", "-o", "program"),
        profile=Profile.COMPILE_CPP,
        files={"program.cpp": source.encode()},
        limits=limits or Limits(processes=8),
        collect=("program",),
    )


ECHO = """
import os, struct
def exactly(size):
    data = b""
    while len(data) < size:
        part = os.read(3, size - len(data))
        if not part:
            raise SystemExit(0)
        data += part
    return data
while True:
    header = exactly(4)
    data = memoryview(header + exactly(struct.unpack("<I", header)[0]))
    while data:
        data = data[os.write(4, data):]
"""
