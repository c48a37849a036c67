"""A Kattis package becomes a draft that is judged as theirs was, and says what it has lost."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from problems import strict_yaml
from problems.importing import kattis
from problems.importing.draft import CannotImport, Draft, spec_text
from problems.importing.kattis_texts import as_function, checker
from problems.importing.latex import to_markdown
from problems.package import Package, read_files

THEIRS = Path(__file__).parents[2] / "imports" / "kattis" / "shortestjob"


@pytest.fixture
def theirs(tmp_path: Path) -> Path:
    return shutil.copytree(THEIRS, tmp_path / "shortestjob")


def package(draft: Draft) -> Package:
    return read_files(draft.slug, draft.files)


def test_name_source_limits_data_and_verdicts_carry_over() -> None:
    spec = package(kattis.read(THEIRS, 6)).spec
    assert (str(spec.id), spec.title, spec.round) == (
        "4f0b7a52-6f5c-4e0b-8b3c-2a61a53a1b11", "Mean wait", 6,
    )  # fmt: skip
    assert spec.tags == ["queue", "scheduling"]
    assert [(source.title, source.url) for source in spec.source] == [
        ("Made for tests", "https://example.org/contest"),
        ("A. Tester (author)", None),
    ]
    assert spec.grader.model_dump()["answer_time_limit_s"] == 1.5
    assert spec.limits.memory_mib == 256
    assert [(case.name, case.sample, case.breaks, case.input) for case in spec.cases] == [
        ("sample-1", True, "what data/sample/1.in is there to catch", {"stdin": "2\n3 1\n"}),
        ("01-three", False, "the order in which they came", {"stdin": "3\n5 4 6\n"}),
        ("02-one", False, "what data/secret/02-one.in is there to catch", {"stdin": "1\n7\n"}),
    ]
    assert {path: one.verdict for path, one in spec.expected.items()} == {
        "accepted/sorted.py": "AC",
        "runtime_error/needs_two.py": "RE",
        "time_limit/for_ever.py": "TLE",
        "wrong_answer/as_they_came.py": "WA",
    }


def test_everything_that_stays_behind_is_listed() -> None:
    draft = kattis.read(THEIRS, 6)
    assert draft.not_carried == [
        "data/secret/03-lost.in: it has no .ans beside it, or one too large",
        "submissions/accepted/fast.cpp: only submissions in one file of Python 3 are",
        "submissions/partially_accepted/half.py: partially_accepted is no verdict that one can be "
        "held to here",
        "submissions/wrong_answer/by_descriptor.py: it reads descriptor 0 itself, which holds "
        "nothing here",
        "problem_statement/problem.sv.tex: a problem has one statement here",
        r"problem_statement/problem.en.tex: the commands \includegraphics; see statement.md",
        "input_validators/: inputs are checked nowhere",
        "problem_statement/queue.png: pictures are SVG here, beside statement.md",
    ]
    assert [one.split(":")[0] for one in draft.guessed] == [
        "editorial.md",
        "summary, difficulty and minutes",
        "hints, follow_ups and rubric",
        "the second half of each case's breaks",
    ]


def test_what_another_validator_decides_is_not_passed_over(theirs: Path) -> None:
    meta = (theirs / "problem.yaml").read_text().replace("1e-6", "1e-6 --strict")
    (theirs / "problem.yaml").write_text(f"{meta}validation: custom interactive score\n")
    (theirs / "output_validators").mkdir()
    (theirs / "output_validators" / "compare.py").write_text("")
    assert [one.split(",")[0].split(":")[0] for one in kattis.read(theirs, 6).not_carried[:4]] == [
        "the output validator (output_validators/compare.py)",
        "the interaction",
        "the score",
        "the validator's argument --strict",
    ]


def test_the_newer_formats_names_and_files_are_read(theirs: Path) -> None:
    (theirs / "problem.yaml").write_text(
        "problem_format_version: 2023-07-draft\nname: {en: Mean wait, sv: Väntetid}\n"
        "source: [{name: A contest, url: https://example.org}]\ncredits: {authors: [B. Tester]}\n"
        "type: pass-fail\nlimits: {time_limit: 3.0, memory: 64}\n"
    )
    (theirs / "problem_statement").rename(theirs / "statement")
    (theirs / "statement" / "problem.en.md").write_text("In *Markdown*.\n")
    (theirs / "data" / "secret" / "test_group.yaml").write_text(
        "output_validator_args: [case_sensitive, float_absolute_tolerance, '0.5']\n"
    )
    (theirs / "solution").mkdir()
    (theirs / "solution" / "solution.en.md").write_text("Shortest first.\n")
    draft = kattis.read(theirs, 6)
    spec = package(draft).spec
    assert (spec.title, spec.grader.model_dump()["answer_time_limit_s"]) == ("Mean wait", 3.0)
    assert [one.title for one in spec.source] == ["A contest", "B. Tester (author)"]
    assert draft.files["statement.md"].endswith("In *Markdown*.\n")
    assert draft.files["editorial.md"] == "Shortest first.\n"
    assert "CASE_SENSITIVE = True" in draft.files["checker.py"]
    assert "ABSOLUTE, RELATIVE = 0.5, None" in draft.files["checker.py"]


def test_data_too_large_for_a_package_is_left_out_and_listed(theirs: Path) -> None:
    secret = theirs / "data" / "secret"
    for number in range(12):
        (secret / f"9-{number:02}.in").write_text("7" * 15 * 1024)
        (secret / f"9-{number:02}.ans").write_text("7\n")
    (secret / "a-huge.in").write_text("7" * 17 * 1024)
    (secret / "a-huge.ans").write_text("7\n")
    draft = kattis.read(theirs, 6)
    assert "data/secret/a-huge.in: input and answer may have 16 KiB here" in draft.not_carried
    assert "data/secret/9-11.in: all inputs may have 160 KiB together" in draft.not_carried
    assert len(package(draft).spec.cases) == 3 + 10


def test_nothing_outside_the_folder_is_read(theirs: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.txt").write_text("5\n")
    (theirs / "data" / "secret" / "03-lost.ans").symlink_to(tmp_path / "secret.txt")
    draft = kattis.read(theirs, 6)
    assert "data/secret/03-lost.in: it has no .ans beside it, or one too large" in draft.not_carried


@pytest.mark.parametrize(
    "yaml", ["- a list\n", "name: [\n", "a: !!python/object/apply:os.abort []\n"]
)
def test_a_problem_yaml_that_is_no_mapping_is_told(theirs: Path, yaml: str) -> None:
    (theirs / "problem.yaml").write_text(yaml)
    with pytest.raises(CannotImport, match=r"problem\.yaml must be"):
        kattis.read(theirs, 6)


def test_a_folder_without_data_is_no_kattis_package(tmp_path: Path) -> None:
    with pytest.raises(CannotImport, match=r"holds problem\.yaml and data/"):
        kattis.read(tmp_path, 6)


def check(right: str, got: object, **flags: Any) -> object:
    """What the imported checker says of an output; None if it is right."""
    source = checker(flags).replace("from answers import ANSWERS", "")
    scope: dict[str, Any] = {}
    exec(source, scope)  # noqa: S102  the text that is laid into the sandbox
    scope["ANSWERS"] = {scope["hashlib"].sha256(b"in").hexdigest(): right}
    said = scope["check"]({"stdin": "in"}, got, 1)
    return None if isinstance(said, list) else str(said)


def test_words_are_compared_as_the_default_validator_does() -> None:
    assert check("Yes 1.5\n", "yes  1.5") is None
    assert check("Yes", "yes", case_sensitive=True) == (
        "the output must have Yes as its word 1, got yes"
    )
    assert check("a b\n", "a  b\n", space_sensitive=True) is not None
    assert check("1.5", "1.500001") is not None
    assert check("1.5", "1.500001", absolute=1e-5) is None
    assert check("1000", "1000.5", relative=1e-3) is None
    assert check("0", "1e-7", relative=1e-3) is not None
    assert check("1", "nan", absolute=1e9) is not None
    assert check("1 2", "1") == "the output must have 2 words, got 1"
    assert check("1", 1) == "the output must be a str, got int"


def solve(source: str, stdin: str) -> object:
    scope: dict[str, Any] = {}
    exec(as_function(source), scope)  # noqa: S102
    return scope["solve"](stdin)


def test_a_program_is_a_function_of_its_input_however_it_reads_and_ends() -> None:
    assert solve("print(input() + '\\n', end='')", "é\n") == "é\n"
    assert solve("import sys\nsys.stdout.buffer.write(sys.stdin.buffer.read())", "a\nb") == "a\nb"
    assert (
        solve("def main():\n    print(n)\nn = 3\nif __name__ == '__main__':\n    main()", "")
        == "3\n"
    )
    assert solve("print(1)\nexit()", "") == "1\n"
    assert solve("text = '''three'''\nprint(text)", "") == "three\n"
    with pytest.raises(RuntimeError, match="code 2"):
        solve("import sys\nsys.exit(2)", "")


def test_latex_becomes_markdown_and_maths_stays() -> None:
    text, left = to_markdown(
        "\\section{Input}\nA \\texttt{word} in ``quotes'', 50\\% of $a_{i} \\% b$~--- all\\\\\n"
        "\\begin{tabular}{c}x\\end{tabular}\n"
    )
    assert text == (
        '## Input\nA `word` in "quotes", 50% of $a_{i} \\% b$ - all\n\n'
        "\\begin{tabular}{c}x\\end{tabular}\n"
    )
    assert left == ["\\begin", "\\end"]


def test_a_written_spec_reads_back_as_it_was() -> None:
    keys = {"a": "1e-5", "b": ["on"], "c": [{"x: y": "\t\u2028"}], "d": {"e": {"f": None}}, "g": {}}
    document = strict_yaml.read(spec_text(keys))
    assert (document.value, document.faults) == (keys, [])
