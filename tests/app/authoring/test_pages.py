"""What the pages say and take: the list, new, upload, the workbench, comparing, exporting."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from app.accounts.models import User
from app.authoring.models import Action, TrailEntry, WorkingCopy
from app.authoring.publishing import read_texts
from app.practice.loading import bring_in, load_problems
from app.practice.models import Problem
from problems.archive import zipped
from problems.skeletons import EXAMPLE_OF
from tests.problems.broken_packages import SOUND

pytestmark = pytest.mark.django_db


def upload(client: Client, data: bytes, name: str = "double.zip", **fields: str) -> str:
    package = SimpleUploadedFile(name, data)
    response = client.post("/authoring/upload/", {"package": package, **fields}, follow=True)
    return response.content.decode()


@pytest.mark.parametrize("one_file", ["", "on"])
@pytest.mark.parametrize("kind", ["answers", "function"])
def test_a_new_problem_of_any_kind_is_sound_as_it_begins(
    staff_client: Client, kind: str, one_file: str
) -> None:
    form = {"title": "Mine: “quoted”", "slug": "mine", "round": "5", "kind": kind}
    page = staff_client.post("/authoring/new/", form | {"one_file": one_file}, follow=True)
    assert "without faults" in page.content.decode()
    copy = WorkingCopy.objects.get()
    package = read_texts("mine", copy.texts)
    assert (package.spec.title, package.spec.round) == ("Mine: “quoted”", 5)
    assert (list(copy.texts) == ["problem.yaml"]) is bool(one_file)


def test_every_kind_of_grader_is_offered(staff_client: Client) -> None:
    page = staff_client.get("/authoring/new/").content.decode()
    assert all(f'value="{kind}"' in page for kind in EXAMPLE_OF)


@pytest.mark.parametrize("slug", ["Mine", "a--b", "a b", "double", ""])
def test_a_slug_is_formed_like_one_and_new(
    staff_client: Client, problem: Problem, slug: str
) -> None:
    form = {"title": "Mine", "slug": slug, "round": "5", "kind": "function"}
    assert staff_client.post("/authoring/new/", form).status_code == 200
    assert not WorkingCopy.objects.exists()


def test_an_upload_becomes_a_working_copy_and_nothing_is_published(
    staff_client: Client, texts: dict[str, str]
) -> None:
    upload(staff_client, zipped("double", 3, texts))
    assert WorkingCopy.objects.get(slug="double").texts == texts
    assert not Problem.objects.exists()


def test_an_upload_replaces_a_working_copy_only_if_it_is_told_to(
    staff_client: Client, copy: WorkingCopy, texts: dict[str, str]
) -> None:
    newer = texts | {"statement.md": "Newer.\n"}
    assert "Replace its working copy" in upload(staff_client, zipped("double", 3, newer))
    assert copy.texts == texts
    upload(staff_client, zipped("double", 3, newer), replace="on")
    assert copy.texts == newer
    assert TrailEntry.objects.filter(former_text=texts["statement.md"]).exists()


def test_a_refused_upload_says_everything_that_is_wrong(staff_client: Client) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("double/problem.yaml", "a")
        archive.writestr("double/a b.md", "a")
        archive.writestr("double/c.md", b"\xff")
    page = upload(staff_client, buffer.getvalue())
    assert "names must be letters" in page
    assert "got the byte 0xff" in page
    assert not WorkingCopy.objects.exists()


@pytest.mark.parametrize("name", ["../../x.yaml", "Bad Name.yaml", ".yaml"])
def test_the_name_of_an_uploaded_file_is_no_path(staff_client: Client, name: str) -> None:
    upload(staff_client, b"title: a", name)
    assert set(WorkingCopy.objects.values_list("slug", flat=True)) <= {"x"}


def test_what_is_typed_is_checked_at_its_line_and_column(
    staff_client: Client, copy: WorkingCopy
) -> None:
    text = copy.texts["problem.yaml"].replace("minutes: 5", "minuts: 5")
    body = json.dumps({"text": text})
    url = "/authoring/problems/double/lint/"
    complaints = staff_client.post(url, body, content_type="application/json").json()
    assert {key: value for key, value in complaints[-1].items() if key != "message"} == {
        "line": 8,
        "column": 1,
        "end": None,
    }
    assert "did you mean minutes?" in complaints[-1]["message"]
    assert staff_client.post(url, "no json", content_type="application/json").status_code == 200
    body = json.dumps({"text": "def double(n:\n"})
    url += "?file=reference.py"
    (complaint,) = staff_client.post(url, body, content_type="application/json").json()
    assert complaint["line"] == 1
    assert "must be Python" in complaint["message"]


def test_the_preview_shows_what_is_typed_and_runs_none_of_it(
    staff_client: Client, copy: WorkingCopy
) -> None:
    body = json.dumps({"text": "# Twice $x^2$ <script>alert(1)</script>"})
    url = "/authoring/problems/double/preview/?file=statement.md"
    page = staff_client.post(url, body, content_type="application/json").content.decode()
    assert '<span class="math">x^2</span>' in page
    assert "<script>" not in page


def test_a_worksheets_preview_shows_values(staff_client: Client, staff: User) -> None:
    form = {"title": "Mine", "slug": "mine", "round": "3", "kind": "answers"}
    staff_client.post("/authoring/new/", form)
    statement = WorkingCopy.objects.get().texts["statement.md"]
    page = staff_client.get("/authoring/problems/mine/?file=statement.md").content.decode()
    preview = page[page.index('id="preview"') : page.index("pane-right")]
    assert "[[" in statement
    assert "[[" not in preview


def test_the_faults_of_every_file_are_listed_with_links(
    staff_client: Client, staff: User, copy: WorkingCopy
) -> None:
    file = copy.files.get(path="reference.py")
    file.save_text(staff, "def double(n:\n", 1)
    page = staff_client.get("/authoring/problems/double/state/").content.decode()
    assert "?file=reference.py#L1" in page
    assert "must be Python, got stuck here" in page
    staff_client.post("/authoring/problems/double/verify/")
    assert not TrailEntry.objects.filter(action=Action.VERIFIED).exists()


def test_two_versions_are_compared_file_by_file(
    staff_client: Client, staff: User, copy: WorkingCopy
) -> None:
    load_problems([SOUND.parents[1]])
    staff_client.post("/authoring/problems/double/edit/")
    first = Problem.objects.get(slug="double").current_version
    assert first is not None
    copy.replace(staff, dict(first.files), Action.RESTORED, "v1")
    file = copy.files.get(path="checker.py")
    file.save_text(staff, f"{file.text}\n# changed\n", file.revision)
    spec = copy.files.get(path="problem.yaml")
    spec.save_text(staff, spec.text.replace("version: 1", "version: 2"), spec.revision)
    url = "/authoring/problems/double/compare/"
    page = staff_client.get(url).content.decode()
    assert "# changed" in page
    assert "editorial.md" not in page
    bring_in(read_texts("double", copy.texts), managed_here=True)
    second = Problem.objects.get(slug="double").current_version
    assert second is not None
    page = staff_client.get(f"{url}?left={first.pk}&right={second.pk}").content.decode()
    assert "The two judge differently" in page
    assert staff_client.get(f"{url}?left=nonsense").status_code == 404


def test_a_version_is_exported_as_it_was(staff_client: Client) -> None:
    load_problems([SOUND.parents[1]])
    version = Problem.objects.get(slug="double").current_version
    assert version is not None
    response = staff_client.get(f"/authoring/problems/double/export/?version={version.pk}")
    assert response.headers["Content-Disposition"] == 'attachment; filename="double-v1.zip"'
    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        names = {name.removeprefix("round-3/double/"): name for name in archive.namelist()}
        content = {path: archive.read(name) for path, name in names.items()}
    assert content == {
        path.relative_to(SOUND).as_posix(): path.read_bytes()
        for path in SOUND.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_the_list_tells_where_each_problem_stands(
    staff_client: Client, staff: User, problem: Problem, texts: dict[str, str]
) -> None:
    WorkingCopy.make(staff, "brand-new", texts, Action.CREATED)
    page = staff_client.get("/authoring/").content.decode()
    assert "Version 1 is published" in page
    assert "Never published" in page
    assert "Changed since" not in page
    staff_client.post("/authoring/problems/double/edit/")
    copy = WorkingCopy.objects.get(slug="double")
    copy.files.get(path="statement.md").save_text(staff, "Other words.\n", 1)
    assert "Changed since" in staff_client.get("/authoring/").content.decode()


def test_the_guides_own_links_find_their_headings(staff_client: Client) -> None:
    for name in ("examples", "format", "keys"):
        page = staff_client.get(f"/authoring/guide/{name}/").content.decode()
        anchors = set(re.findall(r'<a href="#([a-z-]+)" rel', page))
        assert anchors <= set(re.findall(r'<h[1-6] id="([a-z0-9-]*)"', page))
    assert anchors  # the keys refer to one another
    assert staff_client.get("/authoring/guide/nonsense/").status_code == 404


def test_a_version_is_brought_back_where_nobody_edits_the_problem(staff_client: Client) -> None:
    load_problems([SOUND.parents[1]])
    version = Problem.objects.get(slug="double").current_version
    assert version is not None
    page = staff_client.get("/authoring/problems/double/trail/").content.decode()
    assert f"/authoring/problems/double/restore/{version.pk}/" in page
    staff_client.post(f"/authoring/problems/double/restore/{version.pk}/")
    assert WorkingCopy.objects.get(slug="double").texts == version.files
