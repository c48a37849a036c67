"""What a package brings to judge with is untrusted: it reaches no network, database or submission.

The checker below says what it could get hold of, as a complaint about the answer, and its
generator as an input. Both find their own file, so the search itself works.
"""

from __future__ import annotations

import socket
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from app.practice.judging import Mode, judge, make_launcher
from graders.ports import JudgeError
from graders.verdict import JsonObject
from problems.package import SHIPPED, Package, read_files, read_package
from problems.skeletons import EXAMPLE_OF
from tests.problems.broken_packages import SOUND

SPY = '''
import glob
import os
import socket

OWN = "mark of the " + "checker's own file"
OTHERS = "mark of the " + "submission"
SECRETS = "secret of the " + "judge's"


def spy():
    """What can be reached from here, in words."""
    reached = []
    for place in (("127.0.0.1", @port@), ("1.1.1.1", 53)):
        try:
            socket.create_connection(place, timeout=1).close()
            reached.append(f"the network at {place}")
        except OSError:
            pass
    try:
        with open("@database@", "rb") as file:
            reached.append("the database")
    except OSError:
        pass
    for path in files():
        try:
            with open(path, "rb") as file:
                text = file.read(200_000).decode("utf-8", "replace")
        except OSError:
            continue
        if OWN in text:
            reached.append("its own file")
        if OTHERS in text:
            reached.append("the submission")
        if SECRETS in text:
            reached.append("the judge's secrets")
    if any(name in os.environ for name in ("SECRET_KEY", "DATABASE_URL", "DATA_DIR")):
        reached.append("the judge's environment")
    return sorted(set(reached))


def files():
    for top in (".", "/tmp", "/dev/shm", "/run", "/var", "/home", "/root", "/proc"):
        for folder, folders, names in os.walk(top):
            folders[:] = [name for name in folders if folder.count("/") < 4]
            yield from (os.path.join(folder, name) for name in names)
    yield from glob.glob("/proc/[0-9]*/environ")
    yield from glob.glob("/proc/[0-9]*/root/*.py")


# mark of the checker's own file
def draw(case_input, seed):
    return [{"n": 1, "reached": spy()}]


def check(case_input, answer, seed):
    if "reached" in case_input:
        return f"the generator reached {case_input['reached']}"
    return f"the checker reached {spy()}"
'''
SUBMISSION = (
    "# mark of the submission\ndef double(n, reached=None):\n    return {'doubled': 2 * n}\n"
)


@pytest.fixture
def port() -> Iterator[int]:
    """One that answers on this machine."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "gauntlet.sqlite3"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE practice_submission (source TEXT)")
    return path


def with_checker(checker: str) -> Package:
    files = {**read_package(SOUND).files, "checker.py": checker}
    return read_files("double", files)


def said_of(package: Package, case: str) -> str:
    report: dict[str, Any] = {}
    replay: JsonObject = {"case": case, "seed": 1}
    for event in judge(
        package.spec, package.files, SUBMISSION, Mode.REPLAY, 1, make_launcher(), replay
    ):
        report = dict(event.data)
    return str(report["message"])


def test_a_checker_and_a_generator_reach_nothing_but_their_own_files(
    port: int, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_KEY", "a secret of the judge's")
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{database}")
    spy = SPY.replace("@port@", str(port)).replace("@database@", str(database))
    package = with_checker(spy)
    assert "the checker reached ['its own file']" in said_of(package, "small")
    assert "the generator reached ['its own file']" in said_of(package, "drawn")


def test_a_model_of_designs_reaches_nothing_but_its_own_files(port: int, database: Path) -> None:
    spy = SPY.replace("@port@", str(port)).replace("@database@", str(database))
    example = read_package(SHIPPED / EXAMPLE_OF["design"])
    files = {
        **{path: text for path, text in example.files.items() if path != "problem.yaml"},
        "problem.yaml": example.files["problem.yaml"].split("\nfiles:\n")[0] + "\n",
        "model.py": f"{spy}\n\ndef assess(design, parameters):\n    raise ValueError(spy())\n",
    }
    package = read_files(example.slug, files)
    design = f"# mark of the submission\n{files['reference.yaml']}"
    launcher = make_launcher()
    with pytest.raises(JudgeError, match=r"ValueError: \['its own file'\]"):
        list(judge(package.spec, package.files, design, Mode.SUBMIT, 1, launcher))


def test_the_spy_would_have_found_what_it_looks_for(
    port: int, database: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Outside of a sandbox it reaches all of it: otherwise the test above could not fail."""
    (tmp_path / "submission.py").write_text(SUBMISSION)
    (tmp_path / "environ").write_text("SECRET_KEY=a secret of the judge's")
    spy = SPY.replace("@port@", str(port)).replace("@database@", str(database))
    (tmp_path / "checker.py").write_text(spy)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{database}")
    scope: dict[str, Any] = {}
    exec(spy.replace('"/tmp", "/dev/shm", "/run", "/var", "/home", "/root", "/proc"', ""), scope)  # noqa: S102
    reached = scope["spy"]()
    assert {
        "its own file",
        "the submission",
        "the database",
        "the judge's environment",
        "the judge's secrets",
    } <= set(reached)
    assert f"the network at ('127.0.0.1', {port})" in reached


def test_a_checkers_print_is_no_part_of_a_verdict_and_its_exit_is_our_error() -> None:
    package = with_checker(
        "import os\n\n\ndef draw(case_input, seed):\n    return []\n\n\n"
        "def check(case_input, answer, seed):\n    print('accepted')\n    os._exit(0)\n"
    )
    with pytest.raises(Exception, match="the checker must answer, but it ended"):
        said_of(package, "small")
