"""Fixtures for every test that needs the site: three people, one problem, quiet settings."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

# Before the settings are imported: tests keep their keys and databases to themselves.
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="gauntlet-tests-"))
os.environ.setdefault("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")

import pytest
from django.contrib.auth import get_user_model
from django.db import connections
from django.test import Client

from app.accounts.models import User
from app.practice.models import Problem, ProblemVersion
from problems.schema import ProblemSpec

SPEC = {
    "format": 1,
    "id": "6a0d3f61-5a4f-4a52-9d52-2f7f4f9a6a01",
    "version": 1,
    "title": "Double a number",
    "summary": "Return twice what you are given.",
    "round": 3,
    "difficulty": "warm-up",
    "minutes": 5,
    "tags": ["arithmetic"],
    "license": "Apache-2.0",
    "source": [{"title": "Made for tests"}],
    "language": "python",
    "grader": {"kind": "function", "entry_point": "double", "signature": "double(number) -> dict"},
    "limits": {"cpu_time_s": 5.0, "wall_time_s": 10.0, "memory_mib": 128, "source_kib": 16},
    "cases": [
        {"name": "two", "breaks": "a constant", "sample": True, "input": {"number": 2}},
        {"name": "minus-one", "breaks": "a forgotten sign", "input": {"number": -1}},
    ],
    "hints": ["Add it to itself."],
    "follow_ups": [{"question": "And for floats?", "points": ["The same, exactly."]}],
    "expected": {"accepted/reference.py": {"verdict": "AC"}},
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: whole files go to one process, and a long one would be waited for."""
    items.sort(
        key=lambda item: [
            item.get_closest_marker(name) is None for name in ("processes", "browser")
        ]
    )


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as on a real site: in memory, two threads lock each other out at once."""
    database = connections["default"]
    if database.vendor == "sqlite":
        path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        database.settings_dict["TEST"]["NAME"] = str(path)


@pytest.fixture(autouse=True)
def plain_settings(settings: object) -> None:
    """No broker and no manifest: what a test needs of them it asks for itself."""
    settings.CHANNEL_LAYERS = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}
    }
    settings.STORAGES = {  # type: ignore[attr-defined]
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = [  # type: ignore[attr-defined]
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]


def make_user(name: str, *, staff: bool = False) -> User:
    user: User = get_user_model().objects.create_user(name, password="wide-open-sesame")
    user.is_staff = staff
    user.save()
    return user


@pytest.fixture
def owner(db: None) -> User:
    """The person whose work it is."""
    return make_user("olga")


@pytest.fixture
def staff(db: None) -> User:
    """An admin of the site."""
    return make_user("stella", staff=True)


@pytest.fixture
def stranger(db: None) -> User:
    """Somebody else, signed in."""
    return make_user("sam")


def signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def owner_client(owner: User) -> Client:
    return signed_in(owner)


@pytest.fixture
def staff_client(staff: User) -> Client:
    return signed_in(staff)


@pytest.fixture
def stranger_client(stranger: User) -> Client:
    return signed_in(stranger)


@pytest.fixture
def problem(db: None) -> Problem:
    """A published problem of two cases, the first a sample."""
    spec = ProblemSpec.model_validate(SPEC)
    made = Problem.objects.create(
        uuid=spec.id,
        slug="double",
        round=spec.round,
        title=spec.title,
        summary=spec.summary,
        difficulty=spec.difficulty,
        minutes=spec.minutes,
        tags=spec.tags,
    )
    made.current_version = ProblemVersion.objects.create(
        problem=made,
        number=1,
        digest="0" * 64,
        spec_json=spec.model_dump(mode="json"),
        files={
            "statement.md": "# Double\n\nReturn `{'double': 2 * number}`, so $2x$.\n",
            "starter.py": "def double(number):\n    return {'double': 0}\n",
            "reference.py": "def double(number):\n    return {'double': 2 * number}\n",
            "editorial.md": "Add it to itself.\n",
        },
    )
    made.save()
    return made


@pytest.fixture
def version(problem: Problem) -> ProblemVersion:
    assert problem.current_version is not None
    return problem.current_version


@pytest.fixture(scope="session")
def root() -> Path:
    """The project's folder."""
    return Path(__file__).resolve().parent.parent
