"""Each address, tried by somebody who is not signed in, by a candidate, and by an admin."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from app.accounts.models import User
from app.authoring import urls
from app.authoring.models import Rejudge, TrailEntry, Verification, WorkingCopy
from app.authoring.publishing import read_texts
from app.practice.models import Problem
from tests.app.practice_data import version_of

pytestmark = pytest.mark.django_db

ADDRESSES = sorted(str(pattern.name) for pattern in urls.urlpatterns)


@dataclass
class Site:
    """One of everything that an address can name."""

    copy: WorkingCopy
    verification: Verification
    rejudge: Rejudge

    def url(self, name: str) -> str:
        known = {
            "slug": self.copy.slug,
            "path": "statement.md",
            "name": "keys",
            "pk": {
                "verification": self.verification.pk,
                "stop": self.verification.pk,
                "restore": self.rejudge.version.pk,
            }.get(name, self.rejudge.pk),
        }
        (possible,) = get_resolver("app.authoring.urls").reverse_dict.getlist(name)
        wanted = possible[0][0][1]
        return reverse(f"authoring:{name}", kwargs={key: known[key] for key in wanted})


@pytest.fixture
def site(copy: WorkingCopy, staff: User, problem: Problem) -> Site:
    Problem.objects.filter(pk=problem.pk).update(uuid=uuid.UUID(_id_of(copy)))
    package = read_texts(copy.slug, copy.texts)
    return Site(
        copy,
        Verification.start(staff, package, copy.texts),
        Rejudge.objects.create(version=version_of(problem), started_by=staff),
    )


def _id_of(copy: WorkingCopy) -> str:
    lines = copy.texts["problem.yaml"].splitlines()
    return next(line.removeprefix("id: ") for line in lines if line.startswith("id: "))


@pytest.mark.parametrize("method", ["get", "post", "put"])
def test_a_stranger_signs_in_first_and_a_candidate_is_refused(
    site: Site, owner_client: Client, method: str
) -> None:
    before = list(WorkingCopy.objects.values()), TrailEntry.objects.count()
    for name in ADDRESSES:
        url = site.url(name)
        response = getattr(Client(), method)(url)
        assert response.status_code == 302, name
        assert response.headers["Location"].startswith("/accounts/login/"), name
        assert getattr(owner_client, method)(url).status_code == 403, name
    assert (list(WorkingCopy.objects.values()), TrailEntry.objects.count()) == before


def test_an_admin_is_let_in(site: Site, staff_client: Client) -> None:
    answers = {name: staff_client.get(site.url(name)).status_code for name in ADDRESSES}
    assert len(answers) > 25
    assert set(answers.values()) == {200, 405}, answers


def test_the_menu_leads_there_for_admins_alone(
    staff_client: Client, owner_client: Client, problem: Problem
) -> None:
    assert "/authoring/" in staff_client.get("/").content.decode()
    assert "/authoring/" not in owner_client.get("/").content.decode()
