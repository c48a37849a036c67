"""An interview of two people that is worth replaying, recorded as the room records it."""

from __future__ import annotations

from django.test import Client

from app.accounts.models import User
from app.interviews import follow_ups, running
from app.interviews.models import Interview, InterviewRound, Moment
from app.interviews.room.documents import Document, documents
from app.practice.models import Submission
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


def write(one: InterviewRound, text: str, author: User) -> Moment:
    """Make this of the round's text, as an edit of this person."""
    documents.look(one, b"\0")  # opened: the starter is the first edit
    own = Document()
    own.follow(one)
    return documents.keep(one, own.turn_into(text), author)


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
    clock.forward(minutes=10, seconds=1)  # the break
    running.settle(room)
    write(current(room), "def triple(number):\n", owner)
    clock.forward(seconds=5)
    running.end_interview(room, owner)
    room.refresh_from_db()
    return room


def judge_at(
    room: Interview, sent: Submission, clock: MovedClock, *, seconds: float, right: bool
) -> None:
    """The judge takes so long; its verdict is seen by whoever looks a little later."""
    sent_at = room.moments.get(kind="sent", payload__submission=str(sent.pk))
    Moment.objects.filter(pk=sent_at.pk).update(at=clock.now())
    clock.forward(seconds=seconds)
    (accept if right else reject)(sent)
    # Submissions keep the real time; the tests' clock has moved on.
    Submission.objects.filter(pk=sent.pk).update(finished_at=clock.now())
    running.settle(room)
