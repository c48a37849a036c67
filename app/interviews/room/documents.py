"""The document of a round: made of its edits on the timeline, which are all that is kept.

An edit's payload is ``{"update": <base64>, "splice": [at, gone, new]}``, a Yjs update and what it
did to the text, and at every `CHECKPOINT_EVERY`-th ``"state"``, the whole document after it.
``InterviewRound.text`` follows the document in the same
transaction, so the clock submits what stands there. Where a plain form has saved another text, the
document takes over the difference when it is next opened.
"""

from __future__ import annotations

import threading
from base64 import b64decode, b64encode
from collections import OrderedDict

from django.db import transaction
from django.db.models import F
from pycrdt import Doc, Text

from app.accounts.models import User
from app.interviews.models import Interview, InterviewRound, Moment
from app.interviews.room.splices import common_prefix, splice_between
from app.interviews.room.updates import ROOT
from app.interviews.server_time import now
from graders.text import Json

CHECKPOINT_EVERY = 200  # edits; opening a round reads one state and fewer edits than these
TEXT_LIMIT_BYTES = 256 * 1024  # what the judge takes is less; this keeps the room itself alive
HISTORY_LIMIT_BYTES = 16 * 1024 * 1024  # of the document with all that was deleted
OPEN_DOCUMENTS = 64


class NotTaken(Exception):
    """The round takes no edits now: it is over, or paused."""


class TooLarge(Exception):
    """The text, or all that was ever written in it, is larger than a room carries."""


class Document:
    """One round's text as a Yjs document, as it is after the moment `sequence`."""

    def __init__(self) -> None:
        self._doc: Doc[Text] = Doc(allow_multithreading=True)
        self._text = self._doc.get(ROOT, type=Text)
        self.sequence = 0
        self.edits_since_state = 0
        self.size_bytes = 0  # of the updates that made it, an upper bound of its history

    def __str__(self) -> str:
        return str(self._text)

    @property
    def state(self) -> bytes:
        """Its state vector: how far it has each writer's edits."""
        return self._doc.get_state()

    def since(self, state: bytes) -> bytes:
        """What is missing where a document has this state vector."""
        return self._doc.get_update(state)

    def follow(self, interview_round: InterviewRound, until: int | None = None) -> None:
        """Apply the edits that the timeline has gained, up to the moment `until`."""
        edits = Moment.objects.filter(interview_round=interview_round, kind=Moment.Kind.EDIT)
        if until is not None:
            edits = edits.filter(sequence__lte=until)
        if self.sequence == 0:
            whole = edits.filter(payload__has_key="state").order_by("-sequence").first()
            if whole is not None:
                self.apply(b64decode(str(whole.payload["state"])))
                self.sequence = whole.sequence
        new = edits.filter(sequence__gt=self.sequence).order_by("sequence")
        for sequence, payload in new.values_list("sequence", "payload"):
            self.apply(b64decode(str(payload["update"])))
            self.sequence = sequence
            self.edits_since_state = 0 if "state" in payload else self.edits_since_state + 1

    def apply(self, update: bytes) -> None:
        """Take in an update that `check_update` let pass."""
        self._doc.apply_update(update)
        self.size_bytes += len(update)

    def turn_into(self, text: str) -> bytes:
        """Replace what differs between this text and `text`; the update that does it."""
        before, old = self.state, str(self)
        start = common_prefix(old, text)
        end = common_prefix(old[start:][::-1], text[start:][::-1])
        at = len(old[:start].encode())  # the library counts in bytes of UTF-8
        gone = len(old[start : len(old) - end].encode())
        if gone:
            del self._text[at : at + gone]
        if fresh := text[start : len(text) - end]:
            self._text.insert(at, fresh)
        return self._doc.get_update(before)


class Documents:
    """The documents that this process has open, the least recently used closed first."""

    def __init__(self) -> None:
        self._open: OrderedDict[int, Document] = OrderedDict()
        self._lock = threading.RLock()

    def look(self, interview_round: InterviewRound, state: bytes) -> tuple[int, bytes, bytes]:
        """The document as it is now: last sequence, what `state` lacks, its own state vector."""
        with self._lock, transaction.atomic():
            current = _locked(interview_round)
            document = self._of(current)
            return document.sequence, document.since(state), document.state

    def keep(self, interview_round: InterviewRound, update: bytes, author: User) -> Moment:
        """Apply an edit and put it on the timeline; it is acknowledged only after this.

        Raises
        ------
        NotTaken
            If the round does not run, is paused, or its deadline and grace are over.
        TooLarge
            If the text or its history would be larger than a room carries.
        """
        with self._lock:
            try:
                with transaction.atomic():
                    current = _locked(interview_round)
                    at = now()
                    if not current.takes(at):
                        raise NotTaken(str(current))
                    document = self._of(current)
                    before = str(document)
                    document.apply(update)
                    moment = _record(document, current, before, update, author)
                    _follow_text(current, document)
            except BaseException:
                # What was applied and not kept must not stay in memory.
                self._open.pop(interview_round.pk, None)
                raise
            return moment

    def forget(self) -> None:
        """Close all, as a restart of the server does."""
        with self._lock:
            self._open.clear()

    def _of(self, current: InterviewRound) -> Document:
        document = self._open.setdefault(current.pk, Document())
        self._open.move_to_end(current.pk)
        while len(self._open) > OPEN_DOCUMENTS:
            self._open.popitem(last=False)
        try:
            document.follow(current)
            text = current.text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")
            before = str(document)
            if before != text:
                _record(document, current, before, document.turn_into(text), None)
        except BaseException:
            self._open.pop(current.pk, None)
            raise
        return document


documents = Documents()


def text_at(interview_round: InterviewRound, sequence: int) -> str:
    """The text exactly as it stood after the moment with this number."""
    document = Document()
    document.follow(interview_round, until=sequence)
    return str(document)


def is_shared(interview_round: InterviewRound) -> bool:
    """Whether candidate and interviewer write this round's text together.

    Forms, of a worksheet or of a trace to read, are the candidate's alone.
    """
    version = interview_round.version
    by_form = version is not None and version.spec.is_drawn_per_attempt
    return interview_round.interview.with_interviewer and not by_form


def _locked(interview_round: InterviewRound) -> InterviewRound:
    # The interview's row first, as everywhere: nobody can record a moment meanwhile.
    interview = Interview.objects.select_for_update().get(pk=interview_round.interview_id)
    current = InterviewRound.objects.select_for_update().get(pk=interview_round.pk)
    current.interview = interview
    return current


def _record(
    document: Document, current: InterviewRound, before: str, update: bytes, author: User | None
) -> Moment:
    payload: dict[str, Json] = {
        "update": b64encode(update).decode(),
        "splice": list(splice_between(before, str(document)).as_json),
    }
    if document.edits_since_state + 1 >= CHECKPOINT_EVERY:
        payload["state"] = b64encode(document.since(b"\0")).decode()
    moment = current.interview.record(
        Moment.Kind.EDIT, payload, author=author, interview_round=current
    )
    document.sequence = moment.sequence
    document.edits_since_state = 0 if "state" in payload else document.edits_since_state + 1
    return moment


def _follow_text(current: InterviewRound, document: Document) -> None:
    text = str(document)
    size = len(text.encode())
    if size > TEXT_LIMIT_BYTES or document.size_bytes > HISTORY_LIMIT_BYTES:
        raise TooLarge(f"{size} bytes of text, {document.size_bytes} of history")
    if text != current.text:
        InterviewRound.objects.filter(pk=current.pk).update(text=text, revision=F("revision") + 1)
