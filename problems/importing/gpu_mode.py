"""A task of GPU MODE's leaderboards (``task.yml``) as a draft of a kernel problem.

Their submission defines ``custom_kernel(data)`` beside torch; ours is an ordinary host function
whose kernels are recorded and replayed. So tests and benchmarks carry over as cases where one of
our operations takes their sizes; inputs and the reference do not: ours are the operation's own.

References
----------
.. [1] gpu-mode/reference-kernels, https://github.com/gpu-mode/reference-kernels
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4

from problems.importing.draft import CannotImport, Draft, Folder, slug_from, spec_text
from problems.sections.kernel import KernelGrader

_DTYPES = {"float16": "fp16", "half": "fp16", "bfloat16": "bf16", "float32": "fp32"}
_KERNELS = re.compile(r"\btriton\b|RawKernel")


@dataclass(frozen=True, slots=True)
class Operation:
    """How one of our operations is called, and what its cases must have."""

    words: str  # a pattern for the names that people give it
    arguments: str
    result: str
    sizes: tuple[str, ...]
    sample: Mapping[str, Any]  # small sizes, for where none carried over


OPERATIONS = {
    "matmul": Operation(
        "matmul|gemm|mm", "a, b", "c", ("m", "n", "k"), {"m": 32, "n": 32, "k": 32},
    ),
    "softmax": Operation("softmax", "x", "y", ("rows", "columns"), {"rows": 4, "columns": 32}),
    "add-rmsnorm": Operation(
        "rms_?norm", "x, residual, weight, eps", "(y, h)", ("rows", "columns"),
        {"rows": 4, "columns": 32},
    ),
    "attention": Operation(
        "attention|attn|mha|gqa", "q, k, v, causal", "(o, lse)",
        ("batch", "q_heads", "kv_heads", "q_len", "k_len", "head_dim"),
        {"batch": 1, "q_heads": 2, "kv_heads": 2, "q_len": 16, "k_len": 16, "head_dim": 16},
    ),
}  # fmt: skip


def looks_like(root: Path) -> bool:
    """Whether a folder is such a task."""
    return (root / "task.yml").is_file()


def read(root: Path, round_number: int, slug: str | None = None) -> Draft:
    """The draft. One whose operation we do not have is no valid package until it has one.

    Raises
    ------
    CannotImport
        If the folder is no such task.
    """
    if not looks_like(root):
        raise CannotImport(f"a task of GPU MODE holds task.yml, {root} does not")
    folder = Folder(root)
    task = folder.mapping("task.yml")
    name = root.resolve().name.removesuffix("_py")
    draft = Draft(slug or slug_from(name))
    title = draft.slug.replace("-", " ").capitalize()
    operation = _operation(name, str(task.get("description", "")), draft)
    known = OPERATIONS.get(operation)
    entry_point = operation.replace("-", "_") if known else "custom_kernel"
    arguments = known.arguments if known else "data"
    cases = list(_cases(task, known, _dtype(folder, draft), draft))
    draft.files["statement.md"] = _statement(task, entry_point, arguments, draft)
    draft.files["editorial.md"] = "Why the kernel is what it is.\n"
    expected = dict(_programs(folder, entry_point, arguments, draft))
    draft.guessed += [
        "editorial.md: write why the kernel is what it is",
        'summary, difficulty and minutes: "hard" and 60 stand there; say what is true',
        "hints, follow_ups, rubric and submissions that must be refused: there are none yet",
    ]
    _left_behind(task, draft)
    draft.files["problem.yaml"] = spec_text(
        {
            "format": 1,
            "id": str(uuid4()),
            "version": 1,
            "title": title,
            "summary": f"{title}, imported.",
            "round": round_number,
            "difficulty": "hard",
            "minutes": 60,
            "tags": [],
            "license": "unknown",
            "source": [{"title": f"GPU MODE, task {name}"}],
            "language": "python",
            "grader": {
                "kind": "kernel",
                "operation": operation,
                "entry_point": entry_point,
                "signature": f"{entry_point}({arguments}) -> {known.result if known else 'output'}",
            },
            "limits": {
                "cpu_time_s": 120.0,
                "wall_time_s": 300.0,
                "memory_mib": 2048,
                "processes": 16,
            },
            "cases": cases,
            "expected": expected,
        }
    )
    return draft


def _operation(name: str, description: str, draft: Draft) -> str:
    """Ours that the names suggest; the task's own name where none does."""
    for text in (name.lower(), description.lower()):
        for operation, one in OPERATIONS.items():
            if re.search(rf"(^|[^a-z])({one.words})([^a-z]|$)", text):
                draft.guessed.append(
                    f"operation: {operation}, for the task's name and description; its inputs, "
                    "shapes and tolerances are those of the operation here"
                )
                return operation
    there_are = ", ".join(get_args(KernelGrader.model_fields["operation"].annotation))
    draft.not_carried.append(
        f"reference.py and what it computes: the operations here are {there_are}, {name} is none; "
        "add a class to graders/kernel/operations"
    )
    return slug_from(name)


def _dtype(folder: Folder, draft: Draft) -> str:
    source = (folder.text("reference.py") or "") + (folder.text("task.py") or "")
    named = re.findall(r"torch\.(float16|half|bfloat16|float32)\b", source)
    dtype = _DTYPES[named[0]] if named else "fp16"
    why = f"the first that their reference names is {named[0]}" if named else "they name none"
    draft.guessed.append(f"dtype: {dtype}, since {why}")
    return dtype


def _cases(
    task: Mapping[str, Any], known: Operation | None, dtype: str, draft: Draft
) -> Iterator[dict[str, Any]]:
    """Their tests, then their benchmarks as timed cases; a small sample where none carried over."""
    count = 0
    for kind in ("tests", "benchmarks"):
        listed = task.get(kind)
        for number, sizes in enumerate(listed if isinstance(listed, list) else [], start=1):
            if not isinstance(sizes, dict):
                continue
            given = {key: value for key, value in sizes.items() if key != "seed"}
            if known is not None and set(given) != set(known.sizes):
                draft.not_carried.append(
                    f"{kind}[{number - 1}]: its sizes are {', '.join(given) or 'none'}, a case "
                    f"here has {', '.join(known.sizes)}"
                )
                continue
            count += 1
            timed = {"timed": True} if kind == "benchmarks" else {}
            yield {
                "name": f"{kind.removesuffix('s')}-{number}",
                "breaks": f"what is wrong at {_shown(given)}",
                "sample": count == 1,
                "input": {**given, **({"dtype": dtype} if known else {}), **timed},
            }
    if count == 0:
        draft.guessed.append("cases: none carried over, so one small sample stands there")
        yield {
            "name": "small",
            "breaks": "what is wrong at the smallest sizes",
            "sample": True,
            "input": {**known.sample, "dtype": dtype} if known else {},
        }


def _shown(sizes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key} {value}" for key, value in sizes.items()) or "these sizes"


def _statement(task: Mapping[str, Any], entry_point: str, arguments: str, draft: Draft) -> str:
    description = task.get("description")
    if not isinstance(description, str) or not description.strip():
        draft.guessed.append("statement.md: the task has no description; write it")
        description = ""
    return (
        f"Write an ordinary host function `{entry_point}({arguments})` that launches kernels of "
        f"yours.\n\n{description.strip()}\n"
    )


def _programs(
    folder: Folder, entry_point: str, arguments: str, draft: Draft
) -> Iterator[tuple[str, dict[str, str]]]:
    """Starter and reference, and the other solutions as accepted submissions."""
    template = folder.text("template.py") or folder.text("../template.py")
    draft.files["starter.py"] = _as_host_function(
        template or f"def {entry_point}({arguments}):\n    pass\n", entry_point, arguments
    )
    solutions = [
        path
        for path in folder.paths()
        if path == "submission.py" or re.fullmatch(r"(solutions?|submissions)/.*\.py", path)
    ]
    for path in solutions:
        source = folder.text(path)
        if source is None or not _KERNELS.search(source) or "load_inline" in source:
            draft.not_carried.append(f"{path}: it launches no Triton kernel of its own")
        elif "reference.py" not in draft.files:
            draft.files["reference.py"] = _as_host_function(source, entry_point, arguments)
        else:
            name = re.sub(r"[^A-Za-z0-9_]", "_", Path(path).stem)
            draft.files[f"submissions/accepted/{name}.py"] = _as_host_function(
                source, entry_point, arguments
            )
            yield f"accepted/{name}.py", {"verdict": "AC"}
    if "reference.py" not in draft.files:
        draft.guessed.append("reference.py: write a kernel; theirs computes with torch's operators")


def _as_host_function(source: str, entry_point: str, arguments: str) -> str:
    """Their file with their types for nothing, and our entry point round ``custom_kernel``."""
    source = re.sub(r"(?m)^#!.*\n", "", source)
    source = re.sub(
        r"(?m)^from task import .*$",
        "input_t = output_t = object  # types of theirs",
        source,
        count=1,
    )
    if "def custom_kernel(" not in source or entry_point == "custom_kernel":
        return source
    return (
        f"{source.rstrip()}\n\n\ndef {entry_point}({arguments}):\n"
        f"    return custom_kernel(({arguments}{',' if ',' not in arguments else ''}))\n"
    )


def _left_behind(task: Mapping[str, Any], draft: Draft) -> None:
    for key, why in (
        ("ranking_by", "a leaderboard here ranks by each timed case"),
        (
            "gpus",
            "the worker's own GPU is taken; target in the grader's section is what is compiled for",
        ),
        ("test_timeout", "limits here bound the CPU and wall time of the host's program"),
        ("milestones", "there is no such thing here"),
    ):
        if key in task:
            draft.not_carried.append(f"{key}: {why}")
    if any("seed" in sizes for sizes in task.get("tests") or [] if isinstance(sizes, dict)):
        draft.not_carried.append("seed: each judging draws its inputs anew, from a secret seed")
    if str(task.get("lang", "py")) != "py":
        draft.not_carried.append(f"lang {task['lang']}: host functions are Python here")
    if isinstance(task.get("multi_gpu"), bool) and task["multi_gpu"]:
        draft.not_carried.append("multi_gpu: a kernel runs on one GPU here")
