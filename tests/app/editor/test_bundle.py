"""The locked packages of the browser's scripts, and when they are bundled again."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from app.editor import __main__ as editor


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The inputs of the bundle in a folder of their own."""
    home = tmp_path / "app" / "editor"
    shutil.copytree(editor.HERE, home, ignore=shutil.ignore_patterns("node_modules"))
    monkeypatch.setattr(editor, "HERE", home)
    monkeypatch.setattr(editor, "OUTPUT", home.parent / "static" / "build")
    monkeypatch.setattr(editor, "INSTALLED", home / "node_modules" / ".installed.sha256")
    monkeypatch.setattr(editor, "STAMP", home.parent / "static" / "build" / "inputs.sha256")
    return home


def pretend_built() -> None:
    editor.OUTPUT.mkdir(parents=True)
    for name in editor.RESULTS:
        (editor.OUTPUT / name).write_text("built")
    editor.STAMP.write_text(editor.inputs_digest())


def test_the_lock_names_no_host_and_every_version_is_exact() -> None:
    lock = (editor.HERE / "package-lock.json").read_text()
    assert "resolved" not in lock
    packages = json.loads(lock)["packages"]
    assert all("integrity" in entry for name, entry in packages.items() if name)
    wanted = json.loads((editor.HERE / "package.json").read_text())["dependencies"]
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())


def test_a_current_bundle_is_not_built_again(copied: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend_built()
    monkeypatch.setattr(editor, "node_program", lambda *args: pytest.fail("it was built"))
    assert editor.main() == 0


@pytest.mark.parametrize("path", ["src/site.js", "package-lock.json", "build.mjs"])
def test_a_changed_input_is_noticed(copied: Path, path: str) -> None:
    pretend_built()
    with (copied / path).open("a") as file:
        file.write("\n")
    assert not editor.is_current(editor.inputs_digest())


def test_a_bundle_with_a_part_missing_is_not_current(copied: Path) -> None:
    pretend_built()
    (editor.OUTPUT / "practice.js").unlink()
    assert not editor.is_current(editor.inputs_digest())


def test_a_change_of_ours_alone_is_bundled_without_the_network(
    copied: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[tuple[str, ...]] = []

    def pretend(*command: str) -> None:
        ran.append(command)
        editor.INSTALLED.parent.mkdir(exist_ok=True)
        editor.OUTPUT.mkdir(parents=True, exist_ok=True)

    monkeypatch.setattr(editor, "node_program", pretend)
    assert editor.main() == 0
    assert [command[0] for command in ran] == ["npm", "node"]
    with (copied / "src" / "site.js").open("a") as file:
        file.write("\n")
    assert editor.main() == 0
    assert [command[0] for command in ran] == ["npm", "node", "node"]


def test_a_failed_install_says_so_in_a_sentence_and_leaves_no_stamp(
    copied: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "package-lock.json").write_text("{}")
    assert editor.main() == 1
    assert "must succeed, it ended with" in capsys.readouterr().err
    assert not editor.STAMP.exists()
