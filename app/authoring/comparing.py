"""What of a package decides verdicts, so that a change of a comma asks for no rejudge."""

from __future__ import annotations

from app.practice.drawn import values_by_name
from app.practice.models import ProblemVersion, Submission
from graders.verdict import JsonObject
from problems.package import digest
from problems.schema import ProblemSpec
from problems.single_file import SPEC

PROSE = ("statement.md", "editorial.md")


def judging_parts(version: ProblemVersion) -> tuple[JsonObject, str]:
    """The keys and files that a verdict depends on, to be compared with another version's.

    The reference is one of the files: some graders score against it. What a case is there to
    catch is said to people and judges nothing.
    """
    spec = version.spec
    keys: JsonObject = {
        "language": spec.language.value,
        "grader": spec.grader.model_dump(mode="json"),
        "limits": spec.limits.model_dump(mode="json"),
        "cases": [case.model_dump(mode="json", exclude={"breaks"}) for case in spec.cases],
    }
    files = {
        path: text
        for path, text in version.files.items()
        if path not in (*PROSE, SPEC, spec.starter_name)
        and not path.startswith(("submissions/", "texts."))
        and not path.endswith((".svg", ".md"))
    }
    return keys, digest(files)


def judges_differently(former: ProblemVersion, newer: ProblemVersion) -> bool:
    """Whether a submission could get another verdict from `newer`."""
    return judging_parts(former) != judging_parts(newer)


def cannot_be_compared(submission: Submission, spec: ProblemSpec) -> str:
    """Why a version cannot judge a submission that was sent to another one; empty if it can.

    ``language``: it is written in another one, or for another grader. ``values``: its answers are
    to values that this version does not draw from the same seed.
    """
    sent_to = submission.version.spec
    if sent_to.language is not spec.language or sent_to.grader.kind != spec.grader.kind:
        return "language"
    if spec.is_drawn_per_attempt:
        seen = values_by_name(sent_to, submission.seed)
        if seen != values_by_name(spec, submission.seed):
            return "values"
    return ""
