"""An interview of two people that is worth replaying, recorded as the room records it."""

from __future__ import annotations

from base64 import b64encode

from django.db.models import F
from django.test import Client
from pycrdt import Doc, Text

from app.accounts.models import User
from app.interviews import follow_ups, running
from app.interviews.models import Interview, InterviewRound, Moment
from app.interviews.room.documents import Document
from app.interviews.room.splices import splice_between
from app.interviews.room.updates import ROOT
from app.practice.models import Submission
from graders.verdict import JsonObject
from tests.app.interviews.conftest import MovedClock, current
from tests.app.practice_data import RIGHT, WRONG, accept, reject

NOTE = "hesitates at signs"
# A text outside the Basic Multilingual Plane counts twice in a browser: 😀, 𝛼.
DRAFTS = (
    "# double 😀\ndef double(number):\n    return {'double': 0}\n",
    "# double 😀 𝛼é\ndef double(number):\n    return {'double': 0}\n",
    "# 𝛼é\ndef double(number):\n    return {'double': 0}\n",
    WRONG,
    RIGHT,
)


def write(one: InterviewRound, text: str, author: User | None) -> Moment:
    """Make this of the round's text, as an edit of this person on the timeline."""
    if author is not None and not one.moments.filter(kind=Moment.Kind.EDIT).exists():
        write(one, one.text, None)  # the first edit of a round brings its starter
    recorded = Document()
    recorded.follow(one)
    doc: Doc[Text] = Doc()
    shared = doc.get(ROOT, type=Text)
    doc.apply_update(recorded.since(b"\0"))
    before, state = str(shared), doc.get_state()
    splice = splice_between(before, text)
    units = before.encode("utf-16-le")
    # Places are bytes of UTF-8 to this library and UTF-16 units on the timeline.
    start, end = (
        len(units[: 2 * place].decode("utf-16-le").encode())
        for place in (splice.at, splice.at + splice.gone)
    )
    if end > start:
        del shared[start:end]
    if splice.new:
        shared.insert(start, splice.new)
    assert str(shared) == text
    payload: JsonObject = {
        "update": b64encode(doc.get_update(state)).decode(),
        "splice": list(splice.as_json),
    }
    one.interview.refresh_from_db()
    moment = one.interview.record(Moment.Kind.EDIT, payload, author=author, interview_round=one)
    InterviewRound.objects.filter(pk=one.pk).update(text=text, revision=F("revision") + 1)
    return moment


def two_rounds(
    room: Interview, owner: User, interviewer: User, asking: Client, clock: MovedClock
) -> Interview:
    """Two rounds of the room: edits of both, a run and a submit, chat, hint, questions, a note."""
    one = current(room)
    for number, draft in enumerate(DRAFTS[:-1]):
        clock.forward(seconds=7)
        write(one, draft, interviewer if number == 1 else owner)
    asking.post(f"/interviews/{room.pk}/chat/", {"text": "And below zero?"})
    clock.forward(seconds=20)
    sent = running.send(one, Submission.Kind.SUBMIT, WRONG, owner)
    judge_at(room, sent, clock, seconds=3, right=False)
    asking.post(f"/interviews/{room.pk}/notes/", {"text": NOTE})
    asking.post(f"/interviews/{room.pk}/rounds/1/hint/")
    asked = follow_ups.push(one, 0, "And for floats?", interviewer)
    clock.forward(seconds=30)
    follow_ups.answer(asked, "The same, exactly.", owner)
    write(one, DRAFTS[-1], owner)
    sent = running.send(one, Submission.Kind.RUN, RIGHT, owner)
    judge_at(room, sent, clock, seconds=2, right=True)
    running.end_round(one, InterviewRound.EndedBy.CANDIDATE, owner)
    sent_by_the_clock(room, clock)
    clock.forward(minutes=10, seconds=1)  # the break
    running.settle(room)
    write(current(room), "def triple(number):\n", owner)
    clock.forward(seconds=5)
    running.end_interview(room, owner)
    sent_by_the_clock(room, clock)
    room.refresh_from_db()
    return room


def sent_by_the_clock(room: Interview, clock: MovedClock) -> None:
    """Give what was sent at the end of a round the tests' time."""
    sent = room.moments.filter(kind=Moment.Kind.SENT, payload__automatic=True)
    last = sent.order_by("sequence").last()
    assert last is not None
    Moment.objects.filter(pk=last.pk).update(at=clock.now())


def judge_at(
    room: Interview, sent: Submission, clock: MovedClock, *, seconds: float, right: bool
) -> None:
    """The judge takes so long; its verdict is seen by whoever looks a little later."""
    sent_at = room.moments.get(kind="sent", payload__submission=str(sent.pk))
    Moment.objects.filter(pk=sent_at.pk).update(at=clock.now())
    clock.forward(seconds=seconds)
    (accept if right else reject)(sent)
    running.settle(room)
    # Submissions keep the real time; the tests' clock has moved on.
    told = room.moments.filter(payload__submission=str(sent.pk)).exclude(pk=sent_at.pk)
    told.update(at=clock.now())
