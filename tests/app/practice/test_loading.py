"""What the site offers after packages were added, changed, broken, moved and taken away."""

from __future__ import annotations

import io
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Timer

import pytest
from django.conf import LazySettings
from django.core.management import CommandError, call_command
from django.test import Client

from app.accounts.models import User
from app.practice import loading, watching
from app.practice.loading import Change, load_problems
from app.practice.management.commands.serve import STOP_ORDER, services
from app.practice.models import Problem, ProblemVersion
from app.serving.logs import worth_showing
from problems.package import SHIPPED, find_packages, read_package

DOUBLE = Path(__file__).parents[2] / "packages" / "round-3" / "double"

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with the one package ``double``, to be changed at will."""
    shutil.copytree(DOUBLE, tmp_path / "round-3" / "double")
    return tmp_path


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def changes(root: Path) -> dict[str, Change]:
    return {loaded.slug: loaded.change for loaded in load_problems([root]).problems}


def second_package(root: Path) -> Path:
    """Another package beside ``double``, with an id of its own."""
    folder = root / "round-3" / "twice"
    shutil.copytree(DOUBLE, folder)
    edit(folder / "problem.yaml", "0d1c5f6e", "0d1c5f6f")
    return folder


def test_a_loaded_problem_is_the_package_whole(root: Path) -> None:
    assert changes(root) == {"double": Change.ADDED}
    problem = Problem.objects.get(slug="double")
    version = problem.current_version
    package = read_package(root / "round-3" / "double")
    assert version is not None
    assert version.spec == package.spec
    assert version.files == package.files
    assert version.digest == package.digest
    assert (problem.round, problem.minutes, problem.difficulty, problem.tags) == (
        3, 5, "warm-up", ["test"],
    )  # fmt: skip


def test_loading_again_writes_nothing(root: Path) -> None:
    changes(root)
    before = ProblemVersion.objects.get()
    assert changes(root) == {"double": Change.UNCHANGED}
    after = ProblemVersion.objects.get()
    assert (after.pk, after.created_at) == (before.pk, before.created_at)


def test_shipped_problems_that_are_as_they_were_are_not_read_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "SHIPPED", root)
    second_package(root)
    assert changes(root) == {"double": Change.ADDED, "twice": Change.ADDED}
    with monkeypatch.context() as reading:
        reading.setattr(loading, "read_packages", lambda *of: pytest.fail("they were read"))
        assert changes(root) == {"double": Change.UNCHANGED, "twice": Change.UNCHANGED}
    Problem.objects.filter(slug="twice").update(published=False)
    assert changes(root) == {"double": Change.UNCHANGED, "twice": Change.PUBLISHED}
    edit(root / "round-3" / "twice" / "statement.md", "t", "T")
    assert changes(root) == {"double": Change.UNCHANGED, "twice": Change.UPDATED}
    shutil.rmtree(root / "round-3" / "twice")
    assert changes(root) == {"double": Change.UNCHANGED, "twice": Change.UNPUBLISHED}


def test_a_changed_package_keeps_the_version_that_people_were_judged_by(root: Path) -> None:
    changes(root)
    first = ProblemVersion.objects.get()
    yaml = root / "round-3" / "double" / "problem.yaml"
    edit(yaml, "version: 1", "version: 2")
    edit(yaml, "minutes: 5", "minutes: 10")
    assert changes(root) == {"double": Change.UPDATED}
    problem = Problem.objects.get()
    assert problem.minutes == 10
    assert problem.current_version is not None
    assert problem.current_version.number == 2
    first.refresh_from_db()
    assert first.spec.minutes == 5


def test_a_reverted_package_takes_up_its_old_version(root: Path) -> None:
    changes(root)
    first = ProblemVersion.objects.get()
    statement = root / "round-3" / "double" / "statement.md"
    text = statement.read_text()
    statement.write_text("Something else.\n")
    changes(root)
    statement.write_text(text)
    assert changes(root) == {"double": Change.UPDATED}
    assert Problem.objects.get().current_version == first
    assert ProblemVersion.objects.count() == 2


def test_a_change_without_a_new_version_number_is_told(root: Path) -> None:
    changes(root)
    (root / "round-3" / "double" / "statement.md").write_text("Something else.\n")
    (loaded,) = load_problems([root]).problems
    assert "version is still 1" in loaded.notice


def test_a_vanished_package_is_unpublished_and_comes_back(root: Path, tmp_path: Path) -> None:
    changes(root)
    folder, away = root / "round-3" / "double", tmp_path / "away"
    folder.rename(away)
    assert changes(root) == {"double": Change.UNPUBLISHED}
    assert not Problem.objects.get().published
    assert changes(root) == {}
    away.rename(folder)
    assert changes(root) == {"double": Change.PUBLISHED}
    assert Problem.objects.get().published


def test_a_broken_package_stays_as_it_was_and_harms_no_other(root: Path) -> None:
    changes(root)
    second_package(root)
    edit(root / "round-3" / "double" / "problem.yaml", "minutes: 5", "minutes: soon")
    report = load_problems([root])
    assert [(loaded.slug, loaded.change) for loaded in report.problems] == [("twice", Change.ADDED)]
    assert ["minutes" in complaint.message for complaint in report.complaints] == [True]
    double = Problem.objects.get(slug="double")
    assert double.published
    assert double.minutes == 5


def test_a_renamed_folder_keeps_its_history(root: Path) -> None:
    changes(root)
    before = Problem.objects.get()
    (root / "round-3" / "double").rename(root / "round-3" / "twice")
    assert changes(root) == {"twice": Change.UPDATED}
    after = Problem.objects.get()
    assert (after.pk, after.slug) == (before.pk, "twice")


def test_a_new_package_may_take_the_slug_that_another_gives_up(root: Path) -> None:
    changes(root)
    second_package(root).rename(root / "round-3" / "newer")
    (root / "round-3" / "double").rename(root / "round-3" / "older")
    (root / "round-3" / "newer").rename(root / "round-3" / "double")
    assert changes(root) == {"older": Change.UPDATED, "double": Change.ADDED}


def test_a_new_id_under_an_old_slug_is_refused(root: Path) -> None:
    changes(root)
    edit(root / "round-3" / "double" / "problem.yaml", "0d1c5f6e", "0d1c5f6f")
    report = load_problems([root])
    assert report.problems == []
    (complaint,) = report.complaints
    assert "0d1c5f6e-3a63-4d57-9a1e-6a8b0a3f7c11" in complaint.message
    assert Problem.objects.get().published


def test_two_roots_together_are_what_the_site_offers(root: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    second_package(root).rename(tmp_path / "twice")
    (other / "round-3").mkdir(parents=True)
    (tmp_path / "twice").rename(other / "round-3" / "twice")
    out = io.StringIO()
    call_command("load_problems", "--from", str(root), "--from", str(other), stdout=out)
    assert set(Problem.objects.filter(published=True).values_list("slug", flat=True)) == {
        "double", "twice",
    }  # fmt: skip
    assert "2 problems: 2 added" in out.getvalue()


def test_the_command_tells_every_fault_and_exits_2(root: Path) -> None:
    second_package(root)
    yaml = root / "round-3" / "double" / "problem.yaml"
    edit(yaml, "minutes: 5", "minutes: soon")
    edit(yaml, "title: Double a number\n", "")
    out = io.StringIO()
    with pytest.raises(CommandError) as raised:
        call_command("load_problems", "--from", str(root), stdout=out)
    assert raised.value.returncode == 2
    told = str(raised.value)
    assert "round-3/double/problem.yaml:7:10: minutes must be a whole number" in told
    assert "problem.yaml must have title" in told
    assert "twice v1: added" in out.getvalue()


def test_a_root_that_is_no_folder_is_our_own_exit_code(tmp_path: Path) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("load_problems", "--from", str(tmp_path / "absent"))
    assert raised.value.returncode == 2


def test_a_worksheet_whose_formula_does_not_hold_is_refused_where_it_stands(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "round-3" / "model-state-memory"
    shutil.copytree(SHIPPED / "round-3/model-state-memory", folder)
    path = folder / "problem.yaml"
    sound = path.read_text()
    line = next(n for n, text in enumerate(sound.splitlines(), 1) if "formula: 2 * B}" in text)
    path.write_text(sound.replace("formula: 2 * B}", "formula: 2 * thumb}", 1))
    first = load_problems([tmp_path]).complaints[0]
    assert (first.line, "thumb" in first.message) == (line, True)
    assert not Problem.objects.exists()


def test_a_scenario_that_is_none_is_refused_where_it_stands(tmp_path: Path) -> None:
    folder = tmp_path / "round-1" / "spsc-ring"
    shutil.copytree(SHIPPED / "round-1/spsc-ring", folder)
    path = folder / "problem.yaml"
    sound = path.read_text()
    path.write_text(sound.replace("[pop", "[poop", 1))
    wrong = [str(one) for one in load_problems([tmp_path]).complaints]
    assert any("operations of a queue: push, pop" in one for one in wrong), wrong


def test_only_a_popped_item_can_be_one_that_is_kept(tmp_path: Path) -> None:
    folder = tmp_path / "round-1" / "memory-pool"
    shutil.copytree(SHIPPED / "round-1/memory-pool", folder)
    path = folder / "problem.yaml"
    sound = path.read_text()
    path.write_text(
        sound.replace("  may_allocate:", "  failed_pop_keeps_item: true\n  may_allocate:")
    )
    wrong = [str(one) for one in load_problems([tmp_path]).complaints]
    assert any("must be of a queue or a stack, got a pool" in one for one in wrong), wrong


def test_what_was_saved_is_loaded_and_a_fault_is_a_line_of_the_log(
    root: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    yaml = root / "round-3" / "double" / "problem.yaml"

    def saves(roots: list[Path], stopped: Event) -> Iterator[None]:
        assert roots == [root]
        assert not Problem.objects.exists()  # the site has loaded them when it started
        yield
        assert Problem.objects.get().title == "Double a number"
        edit(yaml, "minutes: 5", "minuts: 5")
        yield
        edit(yaml, "minuts: 5", "minutes: 7")
        yield
        assert Problem.objects.get().minutes == 7

    monkeypatch.setattr("app.practice.management.commands.load_problems.changes", saves)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with caplog.at_level("INFO", "app.practice.watching"):
        call_command("load_problems", "--watch", "--from", str(root))
    assert [worth_showing(f"2026-01-01 00:00:00,000 {record.levelname} {record.name} "
                          f"{record.getMessage()}") for record in caplog.records] == [
        ("INFO", "double v1: added"),
        ("WARNING", "round-3/double/problem.yaml:1:1: problem.yaml must have minutes, it has "
                    "none; add it"),
        ("WARNING", "round-3/double/problem.yaml:8:1: keys must be known to the format, minuts is "
                    "not; did you mean minutes?"),
        ("INFO", "double v1: updated"),
    ]  # fmt: skip


def test_saving_adding_and_removing_are_seen_and_what_tools_leave_is_not(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watching, "LOOK_EVERY_S", 0.001)
    folder, stopped = root / "round-3" / "double", Event()
    seen = watching.look([root])
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "checker.pyc").write_bytes(b"x")
    (folder / ".statement.md.swp").write_bytes(b"x")
    assert watching.look([root]) == seen
    edits: list[Callable[[], object]] = [
        lambda: (folder / "statement.md").write_text("other"),
        lambda: (folder / "new.md").write_text(""),
        lambda: (folder / "new.md").unlink(),
    ]
    noticed = watching.changes([root], stopped)
    for change in edits:
        saver = Timer(0.02, change)
        saver.start()
        next(noticed)
        saver.join()
    stopped.set()
    assert list(noticed) == []


def test_only_a_site_of_developers_loads_what_is_saved(settings: LazySettings) -> None:
    for debug in (False, True):
        settings.DEBUG = debug
        with socket.socket() as listener:
            stages = services(listener, "http://127.0.0.1", 1)
        names = [service.program.name for stage in stages for service in stage]
        assert ("loader" in names) is debug
        assert set(names) <= set(STOP_ORDER)


def test_the_examples_are_on_a_site_that_asks_for_them(client: Client) -> None:
    report = load_problems([SHIPPED / "examples"])
    assert report.complaints == report.warnings == []
    assert {loaded.change for loaded in report.problems} == {Change.ADDED}
    assert len(report.problems) == len(find_packages(SHIPPED / "examples"))
    problem = Problem.objects.get(slug="stage-split")
    client.force_login(User.objects.create(username="reader"))
    page = client.get(problem.get_absolute_url()).content.decode()
    assert "Cut the layers, in their order" in page
    assert 'src="data:image/svg+xml' in page
    assert "def split(times_us, stages):" in page
    assert "class Item" not in page
    assert "bisection" not in page.lower()  # neither the editorial nor the reference
