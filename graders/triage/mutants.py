"""Wrong findings made out of right ones: another cause, another measurement, one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from graders.answers.reading import read, written
from graders.mutants import Mutant


def of_findings(section: Mapping[str, Any], source: str) -> Iterator[Mutant]:
    """Mutants of right findings.

    Parameters
    ----------
    section : mapping
        The grader's section of problem.yaml.
    source : str
        Right findings for one seed, without words of an author's.

    Raises
    ------
    Unreadable
        If the source holds no answers.
    """
    right = read(source)
    for field, key in (("cause", "causes"), ("measurement", "measurements")):
        for one in section[key]:
            if one["name"] != right[field]:
                yield Mutant(
                    f"{field}: {right[field]} -> {one['name']}",
                    written({**right, field: one["name"]}),
                    f"a case that judges the {field}",
                )
