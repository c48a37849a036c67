"""The harness as a program in a sandbox finds it."""

from __future__ import annotations

from importlib import resources


def harness_files(*names: str) -> dict[str, bytes]:
    """Modules of `graders.harness`, to be laid into a sandbox, with `graders.text` beside them.

    Parameters
    ----------
    names : str
        File names such as ``wire.py``.
    """
    folder = resources.files("graders")
    paths = ["text.py", *(f"harness/{name}" for name in names)]
    return {f"graders/{path}": folder.joinpath(path).read_bytes() for path in paths}
