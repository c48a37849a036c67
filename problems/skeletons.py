"""New problems begin as a copy of a small one that works: an example of the same kind of grader."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from uuid import uuid4

from problems.package import SHIPPED, read_package
from problems.schema import Round
from problems.single_file import SPEC, SUFFIX, folded

EXAMPLES = SHIPPED / "examples"
# Below `problems`. A triage needs all that can be named, so its one problem is the example too.
EXAMPLE_OF = {
    "answers": "examples/round-3/pipeline-bubble.yaml",
    "concurrency": "examples/round-1/handover-ring.yaml",
    "design": "examples/round-7/racks-of-servers.yaml",
    "function": "examples/round-3/stage-split.yaml",
    "kernel": "examples/round-2/short-row-softmax.yaml",
    "simulation": "examples/round-4/two-gpu-all-reduce.yaml",
    "triage": "round-3/trace-triage",
}

# The part of problem.yaml that a folder does not have, with the comment above it.
_FILES = re.compile(r"\n(#[^\n]*\n)*files:\n.*", re.DOTALL)


def skeleton(
    kind: str, slug: str, title: str, round_number: Round, *, one_file: bool
) -> Mapping[str, str]:
    """A problem that verifies as it stands, to be rewritten piece by piece.

    Parameters
    ----------
    kind : str
        A key of `EXAMPLE_OF`.
    title : str
        The name in lists.
    one_file : bool
        Whether all of it stands in ``<slug>.yaml``, or in a folder.

    Returns
    -------
    mapping of path to text
        Below the folder that holds the rounds: ``round-3/<slug>/problem.yaml``, ...
    """
    package = read_package(SHIPPED / EXAMPLE_OF[kind])
    spec = package.files[SPEC]
    for key, value in (
        ("id", str(uuid4())),
        ("title", json.dumps(title, ensure_ascii=False)),  # what JSON writes, YAML 1.2 reads
        ("round", str(round_number.value)),
        ("version", "1"),
    ):
        spec = _with_key(spec, key, value)
    place = f"round-{round_number.value}/{slug}"
    if one_file:
        if not package.is_single_file:
            beside = {path: text for path, text in package.files.items() if path != SPEC}
            spec = folded(spec, beside)
        return {f"{place}{SUFFIX}": spec}
    files = {**package.files, SPEC: _FILES.sub("", spec)}
    return {f"{place}/{path}": text for path, text in files.items()}


def _with_key(spec: str, key: str, value: str) -> str:
    """problem.yaml with another value of a key that stands on a line of its own."""
    before, after = re.split(rf"^{key}: .*$", spec, maxsplit=1, flags=re.MULTILINE)
    return f"{before}{key}: {value}{after}"
