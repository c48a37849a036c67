"""A task of GPU MODE becomes a draft of a kernel problem where one of our operations takes it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from problems.complaints import PackageInvalid
from problems.importing import gpu_mode
from problems.importing.draft import CannotImport
from problems.package import read_files

THEIRS = Path(__file__).parents[2] / "imports" / "gpu_mode"


def test_tests_and_benchmarks_become_cases_and_the_kernel_the_reference() -> None:
    draft = gpu_mode.read(THEIRS / "matmul_py", 2)
    package = read_files(draft.slug, draft.files)
    grader = package.spec.grader.model_dump()
    assert (grader["operation"], grader["entry_point"], grader["signature"]) == (
        "matmul", "matmul", "matmul(a, b) -> c",
    )  # fmt: skip
    assert [(case.name, case.sample, case.input) for case in package.spec.cases] == [
        ("test-1", True, {"m": 32, "n": 16, "k": 16, "dtype": "fp16"}),
        ("test-2", False, {"m": 16, "n": 48, "k": 16, "dtype": "fp16"}),
        ("benchmark-1", False, {"m": 512, "n": 512, "k": 512, "dtype": "fp16", "timed": True}),
    ]
    reference = package.files["reference.py"]
    assert "from task" not in reference
    assert reference.endswith("def matmul(a, b):\n    return custom_kernel((a, b))\n")
    assert "All sizes are multiples of 16." in package.files["statement.md"]


def test_everything_that_stays_behind_is_listed() -> None:
    draft = gpu_mode.read(THEIRS / "matmul_py", 2)
    assert [one.split(":")[0] for one in draft.not_carried] == [
        "benchmarks[1]", "solutions/plain_torch.py", "ranking_by", "gpus", "test_timeout", "seed",
    ]  # fmt: skip


def test_a_task_that_no_operation_takes_says_which_there_are_and_is_not_valid() -> None:
    draft = gpu_mode.read(THEIRS / "histogram_py", 2)
    assert draft.not_carried[0] == (
        "reference.py and what it computes: the operations here are matmul, softmax, add-rmsnorm, "
        "attention, histogram is none; add a class to graders/kernel/operations"
    )
    with pytest.raises(PackageInvalid) as raised:
        read_files(draft.slug, draft.files)
    assert {one.path for one in raised.value.complaints} == {
        "round-2/histogram/problem.yaml", "round-2/histogram/reference.py",
    }  # fmt: skip


def test_sizes_that_no_case_takes_leave_one_small_sample(tmp_path: Path) -> None:
    theirs = shutil.copytree(THEIRS / "matmul_py", tmp_path / "softmax_py")
    (theirs / "task.yml").write_text("description: Row softmax.\ntests: [{size: 8}, 3]\n")
    draft = gpu_mode.read(theirs, 2)
    (case,) = read_files(draft.slug, draft.files).spec.cases
    assert (case.sample, case.input) == (True, {"rows": 4, "columns": 32, "dtype": "fp16"})
    assert "def softmax(x):\n    return custom_kernel((x,))\n" in draft.files["reference.py"]


def test_a_folder_without_a_task_is_none(tmp_path: Path) -> None:
    with pytest.raises(CannotImport, match=r"holds task\.yml"):
        gpu_mode.read(tmp_path, 2)
