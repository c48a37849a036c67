"""The interview that the bench plays is one that the room could have recorded."""

from __future__ import annotations

from random import Random

import pytest

from app.accounts.models import User
from app.interviews.models import Moment
from app.interviews.replay.made_up import LARGEST, SMALLEST, made_up
from app.interviews.replay.recording import Recording
from app.interviews.room.documents import text_at
from app.practice.models import ProblemVersion

pytestmark = pytest.mark.django_db


def test_its_edits_make_its_texts(owner: User, staff: User, version: ProblemVersion) -> None:
    made = made_up(version, (owner, staff), 900, Random(1))
    numbers = list(made.moments.values_list("sequence", flat=True))
    assert numbers == list(range(1, made.moments.count() + 1))
    recording = Recording(made, with_private=False)
    assert [one["edits"] for one in recording.as_json()["rounds"]] == [300, 300, 300]
    one = recording.rounds()[-1]
    units = b""
    rows = recording.edits(one, 0)["edits"]
    for sequence, _us, _author, at, gone, new in rows:
        units = units[: 2 * at] + new.encode("utf-16-le") + units[2 * (at + gone) :]
        if sequence % 60 == 0 or sequence == rows[-1][0]:
            assert units.decode("utf-16-le") == text_at(one, sequence)
    assert units.decode("utf-16-le") == one.text
    assert SMALLEST <= len(one.text) <= LARGEST
    assert any(ord(character) > 0xFFFF for character in one.text)
    edits = one.moments.filter(kind=Moment.Kind.EDIT)
    assert {owner.pk, staff.pk, None} == set(edits.values_list("author", flat=True))
    assert edits.filter(payload__has_key="state").count() == 2
