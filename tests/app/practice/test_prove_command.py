"""The proof of the model checker: short, on one package, and what must make it fail."""

from __future__ import annotations

import io
import shutil
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from app.practice.management.commands import prove_concurrency
from app.practice.management.commands.prove_concurrency import Item
from graders.concurrency.evasions import EVASIONS, Evasion
from graders.concurrency.proof import known_survivors
from problems.package import SHIPPED, find_packages, read_package

SEQLOCK = SHIPPED / "round-1" / "seqlock"
KEPT_WRONG = ("no_release_fence", "relaxed_end", "waits_for_the_writer")
KEPT_RIGHT = ("ordered_words",)


@pytest.fixture
def seqlock(tmp_path: Path) -> Path:
    """The package ``seqlock`` with a few of its submissions."""
    folder = shutil.copytree(SEQLOCK, tmp_path / "round-1" / "seqlock")
    kept = [f"{name}.hpp" for name in (*KEPT_WRONG, *KEPT_RIGHT)]
    for path in folder.glob("submissions/*/*.hpp"):
        if path.name not in kept:
            path.unlink()
    yaml = folder / "problem.yaml"
    head, _, expected = yaml.read_text().partition("expected:\n")
    entries = ["  " + entry for entry in ("\n" + expected).split("\n  ")[1:]]
    joined: list[str] = []
    for entry in entries:
        if entry.startswith("    "):
            joined[-1] += "\n" + entry
        else:
            joined.append(entry)
    chosen = [entry.rstrip("\n") for entry in joined if any(name in entry for name in kept)]
    yaml.write_text(head + "expected:\n" + "\n".join(chosen) + "\n")
    return folder


def prove(folder: Path, *arguments: str) -> tuple[int, str]:
    """(exit code, standard output) of the command over the package's root."""
    out = io.StringIO()
    root = str(folder.parent.parent)
    command = ("prove_concurrency", "--from", root, "--seeds", "3", "--executions", "40000")
    try:
        call_command(*command, *arguments, stdout=out, no_color=True)
    except SystemExit as ended:
        return int(str(ended.code)), out.getvalue()
    return 0, out.getvalue()


def test_wrong_ones_are_refused_at_every_seed_right_ones_at_none_and_weaker_ones_too(
    seqlock: Path, tmp_path: Path
) -> None:
    record = tmp_path / "record.jsonl"
    asked = ("--tasks", "wrong,right,mutant", "--record", str(record))
    code, said = prove(seqlock, *asked)
    assert code == 0, said
    assert "3 of 3 seeds for the reason that they declare: 3 of 3" in said
    assert "false alarms on 2 right structures: 0 in " in said
    assert int(said.split(": 0 in ")[1].split()[0]) >= 40000
    assert "mutants killed: 8 of 8; equivalent, with the reason: 0" in said
    # A proof that was interrupted goes on: nothing is checked twice.
    lines = record.read_text().splitlines()
    assert len(lines) == 3 + 2 + 8
    assert prove(seqlock, *asked) == (code, said)
    assert record.read_text().splitlines() == lines


def test_a_right_structure_that_is_none_and_a_wrong_one_that_is_right_fail_the_proof(
    seqlock: Path,
) -> None:
    accepted, wrong = seqlock / "submissions/accepted", seqlock / "submissions/wrong_answer"
    shutil.copy(wrong / "no_release_fence.hpp", accepted / "ordered_words.hpp")
    shutil.copy(seqlock / "reference.hpp", wrong / "relaxed_end.hpp")
    code, said = prove(seqlock, "--tasks", "right,wrong")
    assert code == 1
    assert "ordered_words.hpp is right and refused: torn in one-store" in said
    assert "relaxed_end.hpp is refused at 0 of 3 seeds only" in said


def test_a_wrong_structure_refused_for_another_reason_fails_the_proof(seqlock: Path) -> None:
    wrong = seqlock / "submissions/wrong_answer"
    shutil.copy(seqlock / "starter.hpp", wrong / "no_release_fence.hpp")  # a data race
    code, said = prove(seqlock, "--tasks", "wrong")
    assert code == 1
    assert "no_release_fence.hpp is refused for other reasons" in said


def test_a_survivor_without_a_reason_and_a_reason_without_a_survivor_fail_the_proof(
    seqlock: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference = seqlock / "reference.hpp"
    # A fence of both orders where one is enough: its weaker form is as good.
    reference.write_text(
        reference.read_text().replace(
            "atomic_thread_fence(std::memory_order_acquire)",
            "atomic_thread_fence(std::memory_order_acq_rel)",
        )
    )
    reasons = {
        ("seqlock/reference.hpp", "30.1 store release -> relaxed"): "none",
        ("seqlock/reference.hpp", "99.1 store release -> relaxed"): "none",
    }
    monkeypatch.setattr(prove_concurrency, "known_survivors", lambda: reasons)
    code, said = prove(seqlock, "--tasks", "mutant")
    assert code == 1
    assert "acq_rel -> acquire survives; find out why" in said
    assert "30.1 store release -> relaxed is refused, though the table calls it equivalent" in said
    assert "has no mutant 99.1 store release -> relaxed; correct the table" in said


@pytest.fixture
def ring(tmp_path: Path) -> Path:
    """The package that evasions are judged by, as it is shipped."""
    return shutil.copytree(SHIPPED / "round-1" / "spsc-ring", tmp_path / "round-1" / "spsc-ring")


def test_attempts_to_evade_are_judged_and_counted(ring: Path) -> None:
    code, said = prove(ring, "--tasks", "evasion", "--every", str(len(EVASIONS) - 1))
    assert code == 0, said
    assert "attempts to evade refused for the reason in their row: 2 of 2" in said


def test_an_attempt_that_is_refused_for_another_reason_fails_the_proof(
    ring: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = {"by-nothing": Evasion("is lost", before="#error no ring")}
    monkeypatch.setattr(prove_concurrency, "EVASIONS", told)
    code, said = prove(ring, "--tasks", "evasion")
    assert code == 1
    assert "row: 0 of 1" in said
    assert "spsc-ring/by-nothing evades: CE " in said


def test_verdicts_are_timed_by_package_and_late_ones_named(ring: Path) -> None:
    package = read_package(ring)
    rows = [
        ("a.hpp", "WA", 1.0),
        ("b.hpp", "CE", 3.5),
        ("c.hpp", "AC", 9.0),
        ("d.hpp", "SLOW", 8.0),
    ]
    timed = [
        (Item(package, path, "verdict", ""), {"verdict": verdict, "time_s": time_s})
        for path, verdict, time_s in rows
    ]
    lines: list[str] = []
    prove_concurrency.tell_times(timed, 0.25, lines.append)
    assert "(load before 0.2)" in lines[0]
    assert lines[1:] == [
        "  spsc-ring: 2 wrong p50 2.2, max 3.5; 2 right p50 8.5, max 9.0",
        "  over 3 s: spsc-ring/b.hpp, CE in 3.5 s",
    ]


def test_the_reference_and_every_submission_are_timed(ring: Path) -> None:
    package = read_package(ring)
    assert not list(prove_concurrency.verdicts_of([package], ["wrong"]))
    paths = [item.path for item in prove_concurrency.verdicts_of([package], ["verdict"])]
    assert paths[0] == "reference.hpp"
    assert len(paths) == 1 + len(package.spec.expected)


def test_every_survivor_in_the_table_is_a_mutant_of_a_shipped_source() -> None:
    packages = {folder.name: folder for folder in find_packages(SHIPPED)}
    known = set()
    for slug in {source.split("/")[0] for source, _ in known_survivors()}:
        package = read_package(packages[slug])
        for item in prove_concurrency.items_of([package], ["mutant"], 1):
            assert item.mutant is not None
            known.add((f"{slug}/{item.path}", item.mutant.name))
    assert set(known_survivors()) <= known


def test_without_a_package_of_the_kind_there_is_nothing_to_prove() -> None:
    root = Path(__file__).parents[2] / "packages"
    with pytest.raises(CommandError, match="nothing to prove"):
        call_command("prove_concurrency", "steady", "--from", str(root))
