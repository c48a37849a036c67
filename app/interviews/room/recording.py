"""Puts what is typed on the timeline: the one place that writes ``InterviewRound.text``.

`write` adds the edits and lets the texts follow, all within the caller's transaction, so there is
no text that its edits do not make. Whoever changes a text by other means than a room's socket, a
draft, a form, what is sent to the judge, comes here too.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from app.accounts.models import User
from app.interviews.models import Interview, InterviewRound, Moment, StaleText, TooLate
from app.interviews.room.documents import Change, Document, plain
from app.interviews.server_time import now
from graders.verdict import JsonObject

_ID = Interview._meta.get_field("id")
_BY_NAME = {field.name: field for field in Moment._meta.concrete_fields}
_FIELDS = [
    _BY_NAME[name]
    for name in ("interview", "interview_round", "sequence", "at", "kind", "author", "payload")
]
ADD_MOMENTS = """
    INSERT INTO interviews_moment
        (interview_id, interview_round_id, sequence, at, kind, author_id, payload)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
COUNT_MOMENTS = "UPDATE interviews_interview SET moment_count = %s WHERE id = %s"
KEEP_TEXTS = """
    UPDATE interviews_interviewround SET text = %s, revision = revision + 1 WHERE id = %s
"""


@dataclass(frozen=True)
class Edit:
    """A change on its way to the timeline; the interview's row is this transaction's."""

    interview_round: InterviewRound
    document: Document
    change: Change
    author_id: int | None  # None: nobody's, what a round begins with
    at: datetime
    is_stored: bool = False  # the text stands in the round's row already


def write(edits: Iterable[Edit]) -> None:
    """Number the edits, add them to the timeline and let the rounds' texts follow.

    The interviews of these rounds must be as their locked rows have them.
    """
    moments: list[Moment] = []
    counted: dict[UUID, Interview] = {}
    texts: dict[int, Document] = {}
    for edit in edits:
        one = edit.interview_round
        # Several rounds of one interview may come as several instances of it.
        interview = counted.setdefault(one.interview_id, one.interview)
        interview.moment_count += 1
        edit.document.recorded(interview.moment_count, edit.change)
        moments.append(
            Moment(
                interview_id=one.interview_id,
                interview_round_id=one.pk,
                sequence=interview.moment_count,
                at=edit.at,
                kind=Moment.Kind.EDIT,
                author_id=edit.author_id,
                payload=edit.change.payload,
            )
        )
        if not edit.is_stored:
            texts[one.pk] = edit.document
    if not moments:
        return
    # In SQL, for this happens at every burst of every room and the ORM would take most of its time.
    with connection.cursor() as cursor:
        cursor.executemany(ADD_MOMENTS, [_row(moment) for moment in moments])
        cursor.executemany(
            COUNT_MOMENTS,
            [
                (one.moment_count, _ID.get_db_prep_value(pk, connection))
                for pk, one in counted.items()
            ],
        )
        cursor.executemany(KEEP_TEXTS, [(one.text, pk) for pk, one in texts.items()])


def _row(moment: Moment) -> list[Any]:
    return [one.get_db_prep_save(getattr(moment, one.attname), connection) for one in _FIELDS]


def update_of(payload: JsonObject) -> bytes:
    """The Yjs update of an `edit` moment."""
    return b64decode(str(payload["update"]))


def opened(current: InterviewRound) -> Document:
    """The document of a round, once the caller holds its interview.

    What its text has besides is put on the timeline first: the starter when a round begins, and
    the text of a round that began under a version which recorded less.
    """
    document = Document()
    document.follow(current)
    text = plain(current.text)
    if document.text != text:
        change = document.turn_into(text)
        is_stored = text == current.text
        write([Edit(current, document, change, None, now(), is_stored=is_stored)])
        current.text = text
    return document


def begin(interview_round: InterviewRound) -> None:
    """Record what a round begins with, as its first edit."""
    if not interview_round.text:
        return
    with transaction.atomic():
        opened(_held(interview_round))


def save_text(interview_round: InterviewRound, text: str, base_revision: int, by: User) -> int:
    """What `InterviewRound.save_text` does."""
    with transaction.atomic():
        current = _taking(interview_round)
        if current.text == plain(text):
            return current.revision
        if current.revision != base_revision:
            raise StaleText(current)
        _turn(current, text, by)
    return current.revision


def take(interview_round: InterviewRound, update: bytes, by: User) -> str:
    """Keep an update that came with a form; the text of the document with it.

    Raises
    ------
    TooLate
        If the round does not run, is paused, or deadline and grace are over.
    MalformedUpdate, OutOfStep, TooLarge
        As `Document.take` does.
    """
    with transaction.atomic():
        current = _taking(interview_round)
        document = opened(current)
        change = document.take(update)
        if change is not None:
            write([Edit(current, document, change, by.pk, now())])
    return document.text


def put(interview_round: InterviewRound, text: str, by: User) -> None:
    """Let this be the text, whatever stood there: it is what goes to the judge.

    The caller holds the interview, and has checked that the round takes it.
    """
    with transaction.atomic():
        current = _held(interview_round)
        if current.text != text:
            _turn(current, text, by)
    interview_round.text, interview_round.revision = current.text, current.revision


def _turn(current: InterviewRound, text: str, by: User) -> None:
    document = opened(current)
    change = document.turn_into(plain(text))
    write([Edit(current, document, change, by.pk, now())])
    current.text, current.revision = document.text, current.revision + 1


def _taking(interview_round: InterviewRound) -> InterviewRound:
    current = _held(interview_round)
    if not current.takes(now()):
        raise TooLate(str(current))
    return current


def _held(interview_round: InterviewRound) -> InterviewRound:
    # The interview's row first, as everywhere: nobody can record a moment meanwhile.
    interview = Interview.objects.select_for_update().get(pk=interview_round.interview_id)
    current = InterviewRound.objects.select_related("version").get(pk=interview_round.pk)
    current.interview = interview
    return current
