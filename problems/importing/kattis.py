"""A Kattis or ICPC problem package as a draft: a function from the whole input to the whole output.

Read are the legacy format, its ICPC subset and the draft of 2023-07. Carried over are the name, the
statement, the source, the limits, the test data, the default output validator with its arguments,
and submissions in one file of Python 3.

References
----------
.. [1] Kattis problem package format, legacy,
   https://www.kattis.com/problem-package-format/spec/legacy.html
.. [2] The same, 2023-07 draft,
   https://www.kattis.com/problem-package-format/spec/2023-07-draft.html
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from problems.importing import kattis_texts as texts
from problems.importing.draft import CannotImport, Draft, Folder, slug_from, spec_text, stem
from problems.importing.latex import to_markdown

MAX_CASE_KIB = 16  # of one input or answer
MAX_CASES_KIB = 160  # of all inputs, which stand in problem.yaml

# Theirs -> ours, the verdict, and what each of our messages for it holds.
VERDICTS = {
    "accepted": ("accepted", "AC", None),
    "wrong_answer": ("wrong_answer", "WA", "the output must"),
    "run_time_error": ("runtime_error", "RE", "the function must return an answer"),
    "time_limit_exceeded": ("time_limit", "TLE", "no answer came in time"),
}
_FLAGS = {
    "case_sensitive": "case_sensitive",
    "space_change_sensitive": "space_sensitive",
    "float_tolerance": "both",
    "float_absolute_tolerance": "absolute",
    "float_relative_tolerance": "relative",
}


def looks_like(root: Path) -> bool:
    """Whether a folder is such a package."""
    return (root / "problem.yaml").is_file() and (root / "data").is_dir()


def read(root: Path, round_number: int, slug: str | None = None) -> Draft:
    """The draft.

    Raises
    ------
    CannotImport
        If the folder is no such package.
    """
    if not looks_like(root):
        raise CannotImport(f"a Kattis package holds problem.yaml and data/, {root} does not")
    folder = Folder(root)
    meta = folder.mapping("problem.yaml")
    draft = Draft(slug or slug_from(root.resolve().name))
    flags = _flags(folder, meta, draft)
    cases = list(_cases(folder, draft))
    if not cases:
        raise CannotImport("a Kattis package needs data/sample/*.in or data/secret/*.in with .ans")
    expected = dict(_submissions(folder, draft))
    draft.files["statement.md"] = _statement(folder, draft)
    draft.files["editorial.md"] = _editorial(folder, draft)
    draft.files["starter.py"] = texts.STARTER
    draft.files["checker.py"] = texts.checker(flags)
    draft.files["answers.py"] = texts.answers(
        {hashlib.sha256(given.encode()).hexdigest(): right for _, given, right in cases}
    )
    draft.files["problem.yaml"] = spec_text(
        _spec(folder, meta, draft, round_number, cases, expected)
    )
    _left_behind(folder, draft)
    return draft


def _spec(
    folder: Folder,
    meta: Mapping[str, Any],
    draft: Draft,
    round_number: int,
    cases: list[tuple[dict[str, Any], str, str]],
    expected: dict[str, Any],
) -> dict[str, Any]:
    name = meta.get("name", draft.slug)
    title = str(next(iter(name.values())) if isinstance(name, dict) and name else name)
    limits = meta.get("limits") if isinstance(meta.get("limits"), dict) else {}
    time_limit_s = _time_limit_s(folder, limits or {}, draft)
    whole_s = min(600.0, 10.0 + time_limit_s * len(cases))
    draft.guessed += [
        'summary, difficulty and minutes: "medium" and 45 stand there; say what is true',
        "hints, follow_ups and rubric: there are none yet",
        "the second half of each case's breaks: say what mistake the case is there to catch",
    ]
    keywords = meta.get("keywords") or []
    words = keywords.split() if isinstance(keywords, str) else [str(word) for word in keywords]
    return {
        "format": 1,
        "id": _id(meta),
        "version": 1,
        "title": title,
        "summary": f"{title}, imported.",
        "round": round_number,
        "difficulty": "medium",
        "minutes": 45,
        "tags": sorted({slug_from(word) for word in words}),
        "license": str(meta.get("license") or "unknown"),
        "source": _sources(meta, title),
        "language": "python",
        "grader": {
            "kind": "function",
            "entry_point": "solve",
            "signature": "solve(stdin) -> str",
            "answer_time_limit_s": time_limit_s,
        },
        "limits": {
            "cpu_time_s": whole_s,
            "wall_time_s": whole_s,
            "memory_mib": _memory_mib(limits or {}),
        },
        "cases": [case for case, _, _ in cases],
        "expected": expected,
    }


def _id(meta: Mapping[str, Any]) -> str:
    try:
        return str(UUID(str(meta.get("uuid"))))
    except ValueError:
        return str(uuid4())


def _sources(meta: Mapping[str, Any], title: str) -> list[dict[str, str]]:
    """Who wrote it and where it was used, in any of the ways in which the formats say it."""
    source = meta.get("source")
    listed = source if isinstance(source, list) else [source]
    found: list[dict[str, str]] = []
    for one in listed:
        if isinstance(one, dict) and one.get("name"):
            found.append({"title": str(one["name"])})
            if one.get("url"):
                found[-1]["url"] = str(one["url"])
        elif isinstance(one, str) and one:
            found.append({"title": one})
            if meta.get("source_url") and len(listed) == 1:
                found[-1]["url"] = str(meta["source_url"])
    credit = meta.get("author") or meta.get("credits")
    if isinstance(credit, dict):
        credit = credit.get("authors")
    for author in credit if isinstance(credit, list) else [credit]:
        name = author.get("name") if isinstance(author, dict) else author
        if name:
            found.append({"title": f"{name} (author)"})
    return found or [{"title": f"{title}, a Kattis problem package"}]


def _time_limit_s(folder: Folder, limits: Mapping[str, Any], draft: Draft) -> float:
    for written in (limits.get("time_limit"), folder.text(".timelimit")):
        try:
            seconds = float(written)  # type: ignore[arg-type]
        except (TypeError, ValueError):
            continue
        if 0 < seconds <= 60:
            return seconds
    draft.guessed.append(
        "answer_time_limit_s: their judges derive it from the slowest accepted solution; 2 s "
        "stands there"
    )
    return 2.0


def _memory_mib(limits: Mapping[str, Any]) -> int:
    memory = limits.get("memory", 2048)
    return max(16, min(65536, memory)) if isinstance(memory, int) else 2048


def _flags(folder: Folder, meta: Mapping[str, Any], draft: Draft) -> dict[str, Any]:
    """The default output validator's arguments; what another validator decides is told."""
    words = str(meta.get("validator_flags") or "").split()
    for path in ("data/testdata.yaml", "data/secret/testdata.yaml", "data/test_group.yaml",
                 "data/secret/test_group.yaml"):  # fmt: skip
        if folder.text(path):
            group = folder.mapping(path)
            given = group.get("output_validator_flags") or group.get("output_validator_args") or []
            words += given.split() if isinstance(given, str) else [str(word) for word in given]
    kind = meta.get("type", "pass-fail")
    validation = str(meta.get("validation", "default"))
    own = [
        path
        for path in folder.paths()
        if path.startswith(("output_validators/", "output_validator/"))
    ]
    if own or validation.startswith("custom"):
        draft.not_carried.append(
            f"the output validator ({', '.join(own[:3]) or validation}): checker.py compares words "
            "with the answer file instead; write there what else is right"
        )
    if "interactive" in f"{validation} {kind}" or "multi-pass" in f"{kind}":
        draft.not_carried.append(
            "the interaction: solve gets the whole input at once; a simulation is our kind for that"
        )
    if "scoring" in f"{kind}" or "score" in validation:
        draft.not_carried.append("the score: a case is right or wrong here")
    return dict(_known_flags(words, draft))


def _known_flags(words: list[str], draft: Draft) -> Iterator[tuple[str, Any]]:
    rest = iter(words)
    for word in rest:
        match _FLAGS.get(word):
            case None:
                draft.not_carried.append(f"the validator's argument {word}")
            case "case_sensitive" | "space_sensitive" as switch:
                yield switch, True
            case which:
                tolerance = _tolerance(next(rest, ""))
                if tolerance is None:
                    draft.not_carried.append(
                        f"the validator's argument {word}, which has no number"
                    )
                    continue
                for name in ("absolute", "relative"):
                    if which in (name, "both"):
                        yield name, tolerance


def _tolerance(word: str) -> float | None:
    try:
        tolerance = float(word)
    except ValueError:
        return None
    return tolerance if math.isfinite(tolerance) and tolerance >= 0 else None


def _cases(folder: Folder, draft: Draft) -> Iterator[tuple[dict[str, Any], str, str]]:
    """(case, input, answer), samples first, then in order of the names."""
    names: set[str] = set()
    size = 0
    for group, is_sample in (("data/sample", True), ("data/secret", False)):
        for path in folder.paths(group):
            if not path.endswith(".in"):
                continue
            given, right = folder.text(path), folder.text(f"{path[:-3]}.ans")
            size += len(given or "")
            if right is None:
                draft.not_carried.append(f"{path}: it has no .ans beside it, or one too large")
            elif given is None or max(len(given), len(right)) > MAX_CASE_KIB * 1024:
                draft.not_carried.append(
                    f"{path}: input and answer may have {MAX_CASE_KIB} KiB here"
                )
            elif size > MAX_CASES_KIB * 1024:
                draft.not_carried.append(
                    f"{path}: all inputs may have {MAX_CASES_KIB} KiB together"
                )
            else:
                name = slug_from(
                    path.removeprefix("data/").removesuffix(".in").replace("secret/", "")
                )
                while name in names:
                    name = slug_from(f"{name[:50]}-again")
                names.add(name)
                told = (folder.text(f"{path[:-3]}.desc") or "").strip()
                case = {
                    "name": name,
                    "breaks": told or f"what {path} is there to catch",
                    "sample": is_sample,
                    "input": {"stdin": given},
                }
                yield case, given, right
    if names and not any(name.startswith("sample") for name in names):
        draft.guessed.append("a sample: there is none, and at least one case must be")


def _submissions(folder: Folder, draft: Draft) -> Iterator[tuple[str, dict[str, str]]]:
    for path in folder.paths("submissions"):
        parts = path.split("/")
        if len(parts) < 3:
            continue
        group = parts[1]
        if group not in VERDICTS:
            draft.not_carried.append(f"{path}: {group} is no verdict that one can be held to here")
            continue
        source = folder.text(path)
        if len(parts) > 3 or not re.search(r"\.py3?$", path) or source is None:
            draft.not_carried.append(f"{path}: only submissions in one file of Python 3 are")
            continue
        if "open(0" in source or "os.read(" in source:
            draft.not_carried.append(
                f"{path}: it reads descriptor 0 itself, which holds nothing here"
            )
            continue
        ours, verdict, message = VERDICTS[group]
        program = texts.as_function(source)
        if group == "accepted" and "reference.py" not in draft.files:
            draft.files["reference.py"] = program
            continue
        name = re.sub(r"[^A-Za-z0-9_]", "_", stem(path))
        place = f"{ours}/{name}.py"
        draft.files[f"submissions/{place}"] = program
        yield (
            place,
            {"verdict": verdict} if message is None else {"verdict": verdict, "message": message},
        )
    if "reference.py" not in draft.files:
        draft.guessed.append(
            "reference.py: no accepted submission in one file of Python 3; write it"
        )


def _statement(folder: Folder, draft: Draft) -> str:
    found = [
        path
        for path in folder.paths()
        if re.fullmatch(r"(problem_statement|statement)/problem(\.\w\w(-\w\w)?)?\.(md|tex)", path)
    ]
    # English first, Markdown first.
    found.sort(key=lambda path: (".en." not in path, not path.endswith(".md"), path))
    for path in found[1:]:
        draft.not_carried.append(f"{path}: a problem has one statement here")
    if not found:
        draft.guessed.append("statement.md: there was no statement in Markdown or LaTeX; write it")
        return texts.HEAD
    text = folder.text(found[0]) or ""
    if found[0].endswith(".tex"):
        text, left = to_markdown(text)
        if left:
            draft.not_carried.append(
                f"{found[0]}: the commands {', '.join(left)}; see statement.md"
            )
    return texts.HEAD + text


def _editorial(folder: Folder, draft: Draft) -> str:
    for path in folder.paths("solution"):
        text = folder.text(path)
        if path.endswith(".md") and text and text.strip():
            return text
    draft.guessed.append("editorial.md: write why the solution is what it is")
    return texts.EDITORIAL


def _left_behind(folder: Folder, draft: Draft) -> None:
    for name, why in (
        ("input_validators", "inputs are checked nowhere"),
        ("input_format_validators", "inputs are checked nowhere"),
        ("attachments", "a candidate gets the statement and the starter"),
        ("include", "a submission is one file"),
        ("generators", "data is taken as it is"),
    ):
        if (folder.root / name).is_dir():
            draft.not_carried.append(f"{name}/: {why}")
    for path in folder.paths():
        if path.startswith(("problem_statement/", "statement/")) and not path.endswith(
            (".md", ".tex")
        ):
            draft.not_carried.append(f"{path}: pictures are SVG here, beside statement.md")
