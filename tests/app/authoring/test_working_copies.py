"""Working copies: nothing typed is lost, and the trail says who did what."""

from __future__ import annotations

import json

import pytest
from django.test import Client

from app.accounts.models import User
from app.authoring.models import Action, StaleFile, TrailEntry, WorkingCopy
from app.practice.loading import Change, load_problems
from app.practice.models import Problem
from problems.package import SHIPPED
from tests.conftest import make_user, signed_in
from tests.problems.broken_packages import SOUND

pytestmark = pytest.mark.django_db


def url(copy: WorkingCopy, path: str) -> str:
    return f"/authoring/problems/{copy.slug}/files/{path}/text"


def put(client: Client, copy: WorkingCopy, path: str, text: str, base: int) -> tuple[int, object]:
    body = json.dumps({"text": text, "base_revision": base})
    response = client.put(url(copy, path), body, content_type="application/json")
    return response.status_code, response.json()


def test_a_newer_text_is_never_overwritten(staff_client: Client, copy: WorkingCopy) -> None:
    assert put(staff_client, copy, "statement.md", "mine", 1) == (200, {"revision": 2})
    answer = put(staff_client, copy, "statement.md", "theirs", 1)
    assert answer == (409, {"text": "mine", "revision": 2})
    assert copy.texts["statement.md"] == "mine"


def test_the_same_text_twice_is_no_conflict(staff: User, copy: WorkingCopy) -> None:
    file = copy.files.get(path="statement.md")
    assert file.save_text(staff, "mine", 1).revision == 2
    assert file.save_text(staff, "mine", 1).revision == 2
    with pytest.raises(StaleFile):
        file.save_text(staff, "other", 1)


def test_a_text_that_cannot_be_kept_is_refused_with_the_reason(
    staff_client: Client, copy: WorkingCopy
) -> None:
    status, answer = put(staff_client, copy, "statement.md", "x" * (257 * 1024), 1)
    assert (status, "256 KiB" in str(answer)) == (413, True)
    status, answer = put(staff_client, copy, "statement.md", "a\0", 1)
    assert (status, "NUL" in str(answer)) == (400, True)


def test_a_package_may_not_grow_without_bound(
    staff_client: Client, copy: WorkingCopy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.authoring.views.files.MAX_PACKAGE_KIB", 20)
    status, answer = put(staff_client, copy, "statement.md", "x" * 20_000, 1)
    assert (status, "20 KiB in all" in str(answer)) == (413, True)


@pytest.mark.parametrize("path", ["statement.md", "editorial.md"], ids=["this file", "another"])
def test_a_package_is_measured_in_bytes_as_an_upload_is(
    staff_client: Client, copy: WorkingCopy, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Three bytes each: as characters they would fit."""
    monkeypatch.setattr("app.authoring.views.files.MAX_PACKAGE_KIB", 20)
    copy.files.filter(path=path).update(text="字" * 6000)
    text = copy.texts["statement.md"] + "字" * 600
    status, answer = put(staff_client, copy, "statement.md", text, 1)
    assert (status, "20 KiB in all" in str(answer)) == (413, True)


def test_a_removed_file_is_in_the_trail_with_its_text(
    staff_client: Client, copy: WorkingCopy
) -> None:
    held = copy.texts["editorial.md"]
    staff_client.post("/authoring/problems/double/files/editorial.md/remove")
    assert "editorial.md" not in copy.texts
    entry = TrailEntry.objects.get(action=Action.REMOVED)
    assert (entry.name, entry.subject, entry.former_text) == ("stella", "editorial.md", held)
    page = staff_client.get("/authoring/problems/double/trail/").content.decode()
    assert "What it held" in page


def test_problem_yaml_stays(staff_client: Client, copy: WorkingCopy) -> None:
    staff_client.post("/authoring/problems/double/files/problem.yaml/remove")
    staff_client.post("/authoring/problems/double/files/problem.yaml/rename", {"to": "a.yaml"})
    assert "problem.yaml" in copy.texts


def test_files_are_added_and_renamed_inside_the_package_alone(
    staff_client: Client, copy: WorkingCopy
) -> None:
    base = "/authoring/problems/double/"
    staff_client.post(f"{base}add/", {"path": "notes/idea.md"})
    staff_client.post(f"{base}add/", {"path": "../outside.md"})
    staff_client.post(f"{base}files/notes/idea.md/rename", {"to": "plan.md"})
    staff_client.post(f"{base}files/plan.md/rename", {"to": "/etc/plan.md"})
    staff_client.post(f"{base}files/plan.md/rename", {"to": "starter.py"})
    paths = set(copy.texts)
    assert "plan.md" in paths
    assert not paths & {"../outside.md", "notes/idea.md", "/etc/plan.md"}


def test_typing_for_a_while_is_one_line_of_the_trail(staff: User, copy: WorkingCopy) -> None:
    file = copy.files.get(path="statement.md")
    for revision in range(1, 4):
        file.save_text(staff, f"text {revision}", revision)
    other = make_user("otto", staff=True)
    file.save_text(other, "text of Otto", 4)
    edits = TrailEntry.objects.filter(action=Action.EDITED, subject="statement.md")
    assert [entry.name for entry in edits] == ["otto", "stella"]


def test_what_is_discarded_can_be_read_in_the_trail(
    staff_client: Client, copy: WorkingCopy, texts: dict[str, str]
) -> None:
    staff_client.post("/authoring/problems/double/discard/")
    assert not WorkingCopy.objects.exists()
    kept = TrailEntry.objects.filter(action=Action.REMOVED).values_list("subject", "former_text")
    assert dict(kept) == texts


def test_a_problem_of_the_project_is_edited_and_then_the_folder_leaves_it_alone(
    staff_client: Client, staff: User
) -> None:
    load_problems([SOUND.parents[1]])
    staff_client.post("/authoring/problems/double/edit/")
    copy = WorkingCopy.objects.get(slug="double")
    assert copy.texts["starter.py"] == (SOUND / "starter.py").read_text()
    staff_client.post("/authoring/problems/double/unpublish/")
    report = load_problems([SOUND.parents[1]])
    assert not Problem.objects.get(slug="double").published
    (loaded,) = [loaded for loaded in report.problems if loaded.slug == "double"]
    assert loaded.change == Change.UNCHANGED
    load_problems([SHIPPED / "examples"])
    assert Problem.objects.filter(slug="double", managed_here=True).exists()


def test_a_restored_version_leaves_open_tabs_with_an_older_revision(
    staff_client: Client, staff: User, copy: WorkingCopy
) -> None:
    load_problems([SOUND.parents[1]])
    version = Problem.objects.get(slug="double").current_version
    assert version is not None
    copy.files.get(path="statement.md").save_text(staff, "typed in a tab", 1)
    staff_client.post(f"/authoring/problems/double/restore/{version.pk}/")
    assert copy.texts["statement.md"] == version.files["statement.md"]
    assert put(staff_client, copy, "statement.md", "typed in a tab, on", 2)[0] == 409
    assert TrailEntry.objects.filter(former_text="typed in a tab").exists()


def test_two_people_see_each_others_files(copy: WorkingCopy) -> None:
    client = signed_in(make_user("otto", staff=True))
    assert client.get(url(copy, "starter.py")).json()["text"] == copy.texts["starter.py"]
