"""The document of a round: made of its edits on the timeline, which are all that is kept.

An edit's payload is ``{"update": <base64>, "splice": [at, gone, new]}``, a Yjs update and what it
did to the text, and at every `CHECKPOINT_EVERY`-th ``"state"``, the whole document after it.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from dataclasses import dataclass

from pycrdt import Doc, Text

from app.interviews.models import InterviewRound, Moment
from app.interviews.room.splices import Splice, common_prefix, splice_between
from app.interviews.room.updates import ROOT, check_state_vector, check_update
from graders.verdict import JsonObject

CHECKPOINT_EVERY = 200  # edits; opening a round reads one state and fewer edits than these
TEXT_LIMIT_BYTES = 512 * 1024  # as much as any problem takes; this keeps the room itself alive
HISTORY_LIMIT_BYTES = 16 * 1024 * 1024  # of the document with all that was deleted
# What the server itself writes, it writes on top of everything before: one name is enough.
SERVER_CLIENT = 1


class TooLarge(Exception):
    """The text, or all that was ever written in it, is larger than a room carries."""


class OutOfStep(Exception):
    """An update builds on words that the document does not have."""


@dataclass(frozen=True)
class Change:
    """What an update did to a document, as the timeline keeps it."""

    update: bytes
    splice: Splice
    state: bytes | None  # the whole document after it, at a checkpoint

    @property
    def payload(self) -> JsonObject:
        """Of the `edit` moment."""
        payload: JsonObject = {
            "update": b64encode(self.update).decode(),
            "splice": list(self.splice.as_json),
        }
        if self.state is not None:
            payload["state"] = b64encode(self.state).decode()
        return payload


class Document:
    """One round's text as a Yjs document, as it is after the moment `sequence`."""

    def __init__(self) -> None:
        self._doc: Doc[Text] = Doc(client_id=SERVER_CLIENT, allow_multithreading=True)
        self._text = self._doc.get(ROOT, type=Text)
        self._clocks: dict[int, int] = {}
        self.text = ""
        self.sequence = 0
        self.edits_since_state = 0
        self.size_bytes = 0  # of the updates that made it, an upper bound of its history

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
                self._apply(b64decode(str(whole.payload["state"])))
                self.sequence = whole.sequence
        new = edits.filter(sequence__gt=self.sequence).order_by("sequence")
        for sequence, payload in new.values_list("sequence", "payload"):
            self.follow_one(sequence, payload, is_last=False)
        self._read()

    def follow_one(self, sequence: int, payload: JsonObject, *, is_last: bool = True) -> None:
        """Apply an edit that somebody else has put on the timeline."""
        self._apply(b64decode(str(payload["update"])))
        self._count(sequence, is_checkpoint="state" in payload)
        if is_last:
            self._read()

    def take(self, update: bytes) -> Change | None:
        """Apply an update that somebody sends; None if it brings nothing that was not there.

        Raises
        ------
        MalformedUpdate
            If it is not an update of one plain text.
        OutOfStep
            If it builds on what this document does not have.
        TooLarge
            If the text or its history would be larger than a room carries.

        After any of these the document is as it was.
        """
        reach = check_update(update)
        if not reach.is_complete(self._clocks):
            raise OutOfStep(f"the document is at moment {self.sequence}")
        self._check_size(update)
        before = self.text
        is_new = reach.is_new(self._clocks)
        self._apply(update)
        self._read()
        if not is_new and self.text == before:
            return None
        return self._change(update, before)

    def turn_into(self, text: str) -> Change:
        """Replace what differs between this text and `text`.

        Raises
        ------
        TooLarge
            If that text or the history with it would be larger than a room carries.
        """
        size = len(text.encode())
        if size > TEXT_LIMIT_BYTES or self.size_bytes + size > HISTORY_LIMIT_BYTES:
            raise TooLarge(f"{size} bytes of text, {self.size_bytes} of history")
        state, before = self.state, self.text
        start = common_prefix(before, text)
        end = common_prefix(before[start:][::-1], text[start:][::-1])
        at = len(before[:start].encode())  # the library counts in bytes of UTF-8
        gone = len(before[start : len(before) - end].encode())
        if gone:
            del self._text[at : at + gone]
        if fresh := text[start : len(text) - end]:
            self._text.insert(at, fresh)
        update = self._doc.get_update(state)
        self.size_bytes += len(update)
        self._read()
        return self._change(update, before)

    def recorded(self, sequence: int, change: Change) -> None:
        """The change stands on the timeline under this number."""
        self._count(sequence, is_checkpoint=change.state is not None)

    def _apply(self, update: bytes) -> None:
        self._doc.apply_update(update)
        self.size_bytes += len(update)

    def _read(self) -> None:
        self.text = str(self._text)
        self._clocks = check_state_vector(self.state)

    def _count(self, sequence: int, *, is_checkpoint: bool) -> None:
        self.sequence = sequence
        self.edits_since_state = 0 if is_checkpoint else self.edits_since_state + 1

    def _change(self, update: bytes, before: str) -> Change:
        is_checkpoint = self.edits_since_state + 1 >= CHECKPOINT_EVERY
        whole = self.since(b"\0") if is_checkpoint else None
        return Change(update, splice_between(before, self.text), whole)

    def _check_size(self, update: bytes) -> None:
        if self.size_bytes + len(update) > HISTORY_LIMIT_BYTES:
            raise TooLarge(f"{self.size_bytes + len(update)} bytes of history")
        if len(self.text.encode()) + len(update) <= TEXT_LIMIT_BYTES:
            return
        # Near the limit only a trial says how long the text gets.
        trial: Doc[Text] = Doc()
        words = trial.get(ROOT, type=Text)
        trial.apply_update(self.since(b"\0"))
        trial.apply_update(update)
        if (size := len(str(words).encode())) > TEXT_LIMIT_BYTES:
            raise TooLarge(f"{size} bytes of text")


def text_at(interview_round: InterviewRound, sequence: int) -> str:
    """The text exactly as it stood after the moment with this number."""
    document = Document()
    document.follow(interview_round, until=sequence)
    return document.text


def plain(text: str) -> str:
    """A text as a document holds it: lines end in a line feed, and there is no NUL."""
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\0", "")


def is_live(interview_round: InterviewRound) -> bool:
    """Whether the round's text is written in the live document.

    Forms, of a worksheet or of a trace to read, are saved as drafts; each draft becomes an edit.
    """
    version = interview_round.version
    return version is None or not version.spec.is_drawn_per_attempt
