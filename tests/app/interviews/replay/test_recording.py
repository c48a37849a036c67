"""What a replay is made of: exact texts, true times, and nothing that is not its reader's."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest

from app.interviews.models import Interview, InterviewRound, Moment
from app.interviews.replay import recording as recordings
from app.interviews.replay.recording import Recording, stretches_of
from app.interviews.room.documents import text_at
from tests.app.interviews.replay.played import DRAFTS, NOTE

pytestmark = pytest.mark.django_db


@pytest.fixture
def recording(played: Interview) -> Recording:
    return Recording(played, with_private=True)


def applied(text: str, at: int, gone: int, new: str) -> str:
    """What a browser makes of a splice, which counts in UTF-16 units."""
    units = text.encode("utf-16-le")
    return (units[: 2 * at] + new.encode("utf-16-le") + units[2 * (at + gone) :]).decode(
        "utf-16-le"
    )


def all_edits(recording: Recording, one: InterviewRound) -> list[list[Any]]:
    rows: list[list[Any]] = []
    after: int | None = 0
    while after is not None:
        page = recording.edits(one, after)
        rows += page["edits"]
        after = page["next"]
    return rows


def test_the_edits_give_the_text_exactly_as_it_stood(
    recording: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = recording.rounds()[0]
    whole = all_edits(recording, one)
    for page_size in (1, 2, 6):
        monkeypatch.setattr(recordings, "EDITS_A_PAGE", page_size)
        assert all_edits(recording, one) == whole
    text, seen = "", []
    for sequence, us, author, at, gone, new in whole:
        text = applied(text, at, gone, new)
        assert text == text_at(one, sequence)
        seen.append((author, us))
    assert text == one.text == DRAFTS[-1]
    names = [person["name"] for person in recording.authors()]
    assert [names[author] if author >= 0 else None for author, _us in seen] == [
        None,
        "olga",
        "ivan",
        "olga",
        "olga",
        "olga",
    ]
    times = [us for _author, us in seen]
    assert times == sorted(times)
    assert 27_000_000 < times[4] < 33_000_000


def test_moments_come_in_the_order_in_which_they_happened(recording: Recording) -> None:
    moments = recording.moments()
    times = [moment["us"] for moment in moments]
    assert times == sorted(times)
    kinds = [moment["kind"] for moment in moments]
    assert "edit" not in kinds
    assert kinds.index("sent") < kinds.index("verdict") < kinds.index("answer")
    told = {one["sequence"]: one for one in recording.as_json()["moments"]}
    verdict = next(moment for moment in moments if moment["kind"] == "verdict")
    assert told[verdict["sequence"]]["tone"] == "bad"
    assert told[verdict["sequence"]]["submission"] == verdict["payload"]["submission"]


def test_what_is_private_is_not_in_a_candidates_recording(played: Interview) -> None:
    for with_private in (True, False):
        recording = Recording(played, with_private)
        assert (NOTE in str(recording.moments())) is with_private
        note = played.moments.get(kind=Moment.Kind.NOTE)
        found = recording.moment_at(sequence=str(note.sequence), seconds="")
        assert (found == note) is with_private


def test_a_round_that_was_not_sat_is_not_told(recording: Recording, played: Interview) -> None:
    told = recording.as_json()["rounds"]
    assert [one["number"] for one in told] == [1, 2]
    assert [one["edits"] for one in told] == [6, 2]
    assert [one["text"] for one in told] == [None, None]
    assert [one["form"] for one in told] == ["code", "code"]


def test_the_stretches_are_rounds_and_breaks_without_a_gap(recording: Recording) -> None:
    data = recording.as_json()
    stretches = data["stretches"]
    assert [(one["kind"], one["round"]) for one in stretches] == [
        ("round", 1),
        ("break", 1),
        ("round", 2),
    ]
    assert stretches[0]["from_us"] == 0
    assert stretches[-1]["to_us"] == data["end_us"]
    for one, after in pairwise(stretches):
        assert one["to_us"] == after["from_us"]
    assert 600e6 <= stretches[1]["to_us"] - stretches[1]["from_us"] <= 603e6


def test_pauses_lie_within_their_round() -> None:
    second = 1_000_000
    rounds = [
        {"number": 1, "from_us": 10 * second, "to_us": 100 * second},
        {"number": 2, "from_us": 100 * second + 5000, "to_us": 150 * second},
    ]
    pauses = [(20 * second, 40 * second), (90 * second, 100 * second)]
    told = [
        (one["kind"], one["round"], one["from_us"] / second, one["to_us"] / second)
        for one in stretches_of(rounds, pauses, 180 * second)
    ]
    assert told == [
        ("break", None, 0, 10),
        ("round", 1, 10, 20),
        ("pause", 1, 20, 40),
        ("round", 1, 40, 90),
        ("pause", 1, 90, 100.005),
        ("round", 2, 100.005, 150),
        ("after", 2, 150, 180),
    ]


def test_a_pause_is_a_stretch_of_its_own(played: Interview) -> None:
    one = played.rounds.get(number=1)
    assert one.started_at is not None
    for kind, seconds in ((Moment.Kind.PAUSED, 10), (Moment.Kind.RESUMED, 15)):
        at = one.started_at + timedelta(seconds=seconds)
        played.record(kind, interview_round=one, at=at)
    stretches = Recording(played, with_private=False).as_json()["stretches"]
    (pause,) = [one for one in stretches if one["kind"] == "pause"]
    assert (pause["round"], pause["to_us"] - pause["from_us"]) == (1, 5_000_000)


def test_the_text_at_a_moment_is_that_of_its_time(recording: Recording) -> None:
    one = recording.rounds()[0]
    # The verdict was seen, and numbered, after a later edit; it was reached before it.
    last = one.moments.filter(kind="edit").order_by("sequence").last()
    verdict = one.moments.filter(kind="verdict").order_by("sequence").first()
    assert last is not None
    assert verdict is not None
    Moment.objects.filter(pk=verdict.pk).update(sequence=last.sequence + 1000)
    found = recording.moment_at(sequence=str(last.sequence + 1000), seconds="")
    shown, text = recording.text_at(found)
    assert (shown, text) == (one, DRAFTS[-2])
    assert recording.text_at(last) == (one, DRAFTS[-1])


def test_the_starter_stands_there_from_the_first_instant(recording: Recording) -> None:
    first, second = recording.rounds()
    starter = text_at(first, recording.edits(first, 0)["edits"][0][0])
    assert starter.startswith("def double")
    assert recording.text_at(None) == (first, starter)
    began = recording.interview.moments.get(kind="round_began", interview_round=second)
    assert recording.text_at(began) == (second, starter), "both have the same package"


def test_in_the_break_the_round_before_is_shown(recording: Recording) -> None:
    found = recording.moment_at(sequence="", seconds="400")
    assert found is not None
    assert found.payload["automatic"], "what the end of the round sent"
    assert recording.text_at(found) == (recording.rounds()[0], DRAFTS[-1])


def test_a_place_that_is_none_shows_the_beginning(recording: Recording) -> None:
    for seconds in ("", "nan", "-1", "inf", "1e300", "x"):
        assert recording.moment_at(sequence="", seconds=seconds) is None, seconds
    for sequence in ("0", "99999", "-3", "9" * 30, "²"):
        assert recording.moment_at(sequence=sequence, seconds="") is None, sequence


def test_a_round_without_recorded_edits_shows_its_last_text(played: Interview) -> None:
    one = played.rounds.get(number=1)
    edits = one.moments.filter(kind="edit")
    for edit in edits:  # as they were recorded before splices were
        Moment.objects.filter(pk=edit.pk).update(payload={"update": edit.payload["update"]})
    told = Recording(played, with_private=False).as_json()["rounds"][0]
    assert (told["edits"], told["text"]) == (0, one.text)
    edits.delete()
    recording = Recording(played, with_private=False)
    assert recording.as_json()["rounds"][0]["text"] == one.text
    assert recording.text_at(None) == (one, one.text)


def test_who_came_before_the_start_stands_at_the_start(played: Interview) -> None:
    assert played.started_at is not None
    early = played.record(Moment.Kind.JOINED, at=played.started_at - timedelta(hours=3))
    moments = Recording(played, with_private=False).moments()
    assert next(one["us"] for one in moments if one["sequence"] == early.sequence) == 0


def test_a_rejudge_long_after_does_not_lengthen_the_replay(recording: Recording) -> None:
    before = recording.as_json()["end_us"]
    ended = recording.interview.ended_at
    assert ended is not None
    recording.interview.record(
        Moment.Kind.VERDICT,
        {"verdict": "AC", "rejudged": True, "before": "WA"},
        at=ended + timedelta(days=9),
    )
    told = recording.as_json()
    assert told["end_us"] == before
    assert told["moments"][-1]["us"] <= before
