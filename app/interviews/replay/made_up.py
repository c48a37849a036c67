"""An interview that nobody sat: edits of two people, submissions, chat, as a bench needs it."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import cast

from pycrdt import Doc, Text

from app.accounts.models import User
from app.interviews.models import Interview, InterviewRound, Link, Moment, RoundSubmission
from app.interviews.room.documents import CHECKPOINT_EVERY
from app.interviews.room.splices import Splice, utf16_units
from app.interviews.room.updates import ROOT
from app.interviews.server_time import now
from app.practice.models import ProblemVersion, Submission
from graders.text import to_json
from graders.verdict import CaseResult, Counterexample, JsonObject, Verdict, judged

ROUNDS, ROUND_MINUTES, BREAK_S = 3, 30, 60
SUBMISSIONS = 30
CHATS = 60
SMALLEST, LARGEST = 10_000, 20_000  # characters of the text
# Characters of one to four bytes; the last are two units in a browser.
REMARKS = ("    # é: one more round", "    # 每个 rank", "    # 😀 at last")
WORDS = ("why ", "what ", "then ", "the ring ", "每 ", "😀 ")


def made_up(
    version: ProblemVersion, people: tuple[User, User], edits: int, rng: Random
) -> Interview:
    """An ended interview of three rounds with about so many edits.

    Parameters
    ----------
    people : tuple of User
        The candidate and the interviewer.
    edits : int
        Of all rounds together, the starters included.
    """
    length = timedelta(minutes=ROUNDS * ROUND_MINUTES, seconds=(ROUNDS - 1) * BREAK_S)
    started_at = now() - length
    interview = Interview.objects.create(
        candidate=people[0],
        title="Bench",
        with_interviewer=True,
        status=Interview.Status.ENDED,
        started_at=started_at,
        ended_at=started_at + length,
    )
    link, _token = Link.issue(interview, Link.Scope.INTERVIEWER)
    link.seat(people[1])
    moments: list[Moment] = []
    for number in range(1, ROUNDS + 1):
        begun_at = started_at + (number - 1) * timedelta(minutes=ROUND_MINUTES, seconds=BREAK_S)
        one = InterviewRound.objects.create(
            interview=interview,
            number=number,
            version=version,
            minutes=ROUND_MINUTES,
            status=InterviewRound.Status.ENDED,
            started_at=begun_at,
            ended_at=begun_at + timedelta(minutes=ROUND_MINUTES),
        )
        typed = Typed(version.files["reference.py"], rng)
        told = [edit.moment(one) for edit in typed.edits(edits // ROUNDS, people)]
        told += talk(rng, one, people) + judging(rng, one, version, typed.text)
        InterviewRound.objects.filter(pk=one.pk).update(text=typed.text)
        moments += sorted(told, key=lambda moment: moment.at)
    for sequence, moment in enumerate(moments, start=1):
        moment.sequence = sequence
    Moment.objects.bulk_create(moments, batch_size=500)
    Interview.objects.filter(pk=interview.pk).update(moment_count=len(moments))
    return interview


@dataclass(frozen=True)
class Edit:
    """One edit: when in its round, whose, and what the timeline keeps of it."""

    share: float  # of the round's time
    author: User | None
    payload: JsonObject

    def moment(self, one: InterviewRound) -> Moment:
        """On the timeline; its number comes later."""
        return at_share(one, self.share, Moment.Kind.EDIT, self.payload, self.author)


class Typed:
    """A program that two people write: a line typed here, a line deleted there."""

    def __init__(self, source: str, rng: Random) -> None:
        self._rng = rng
        self._doc: Doc[Text] = Doc()
        self._shared = self._doc.get(ROOT, type=Text)
        self._starter = source * (SMALLEST // len(source) + 1)
        self._lines = [*source.splitlines(), *REMARKS]
        self.text = ""

    def edits(self, count: int, people: tuple[User, User]) -> Iterator[Edit]:
        """The starter, then a few characters at a time by one of the two."""
        yield self._edit(0.0, None, 0, 0, self._starter, is_checkpoint=True)
        number = 1
        while True:
            person = people[0] if self._rng.random() < 0.8 else people[1]
            for at, gone, new in self._line():
                if number == count:
                    return
                is_checkpoint = number % CHECKPOINT_EVERY == 0
                yield self._edit(number / count, person, at, gone, new, is_checkpoint=is_checkpoint)
                number += 1

    def _line(self) -> Iterator[tuple[int, int, str]]:
        """A whole line typed after some other, or backspaced away: ``(at, gone, new)``."""
        rng = self._rng
        end = self.text.find("\n", rng.randrange(len(self.text)))
        end = len(self.text) if end < 0 else end
        shrinks = rng.random() < (0.9 if len(self.text) > LARGEST - 500 else 0.3)
        if shrinks and len(self.text) > SMALLEST + 500:
            begin = self.text.rfind("\n", 0, end) + 1
            while end > begin:
                gone = min(rng.randint(1, 8), end - begin)
                end -= gone
                yield end, gone, ""
            return
        line = "\n" + rng.choice(self._lines)
        while line:
            burst, line = line[: (size := rng.randint(1, 4))], line[size:]
            yield end, 0, burst
            end += len(burst)

    def _edit(
        self,
        share: float,
        author: User | None,
        at: int,
        gone: int,
        new: str,
        *,
        is_checkpoint: bool,
    ) -> Edit:
        before, state = self.text, self._doc.get_state()
        # Places are bytes of UTF-8 to the library and UTF-16 units on the timeline.
        start = len(before[:at].encode())
        if gone:
            del self._shared[start : start + len(before[at : at + gone].encode())]
        if new:
            self._shared.insert(start, new)
        self.text = before[:at] + new + before[at + gone :]
        splice = Splice(utf16_units(before[:at]), utf16_units(before[at : at + gone]), new)
        payload: JsonObject = {
            "update": b64encode(self._doc.get_update(state)).decode(),
            "splice": list(splice.as_json),
        }
        if is_checkpoint:
            payload["state"] = b64encode(self._doc.get_update()).decode()
        return Edit(share, author, payload)


def at_share(
    one: InterviewRound,
    share: float,
    kind: Moment.Kind,
    payload: JsonObject,
    author: User | None = None,
) -> Moment:
    """A moment of a round, so far into its time; its number comes later."""
    assert one.started_at is not None  # noqa: S101  it was made so
    return Moment(
        interview=one.interview,
        interview_round=one,
        at=one.started_at + share * timedelta(minutes=ROUND_MINUTES),
        kind=kind,
        author=author,
        payload=payload,
    )


def talk(rng: Random, one: InterviewRound, people: tuple[User, User]) -> list[Moment]:
    """Begin and end of a round, and what is said in between."""
    minutes: JsonObject = {"minutes": ROUND_MINUTES}
    told = [
        at_share(one, 0.0, Moment.Kind.ROUND_BEGAN, minutes),
        at_share(one, 1.0, Moment.Kind.ROUND_ENDED, {"by": "time"}),
    ]
    for _chat in range(CHATS // ROUNDS):
        words: JsonObject = {"text": "".join(rng.choice(WORDS) for _word in range(12))}
        person = rng.choice(people)
        told.append(at_share(one, rng.random(), Moment.Kind.CHAT, words, person))
    return told


def judging(rng: Random, one: InterviewRound, version: ProblemVersion, source: str) -> list[Moment]:
    """Submissions of a round, refused with a counterexample, and what the timeline has of them."""
    summary = "Every rank must end with the sum: on rank 0 element 0 lacks the part of rank 1."
    counterexample = Counterexample("plain", summary, {"rank": 0, "element": 0}, {"case": "two"})
    refused = CaseResult(
        "two", Verdict.WRONG_ANSWER, message=summary, counterexample=counterexample
    )
    report = cast(JsonObject, to_json(judged([refused]).data))
    told = []
    for number in range(SUBMISSIONS // ROUNDS):
        share = (number + rng.random()) / (SUBMISSIONS // ROUNDS + 1)
        submission = Submission.objects.create(
            user=one.interview.candidate,
            version=version,
            kind=Submission.Kind.SUBMIT,
            source=source,
            status=Submission.Status.DONE,
            verdict=Verdict.WRONG_ANSWER,
            report=report,
        )
        RoundSubmission.objects.create(interview_round=one, submission=submission, is_recorded=True)
        about: JsonObject = {"submission": str(submission.pk), "kind": "submit"}
        judged_as: JsonObject = {**about, "verdict": Verdict.WRONG_ANSWER.value, "score": 0.0}
        broken_by: JsonObject = {**about, "summary": summary}
        told += [
            at_share(one, share, Moment.Kind.SENT, {**about, "automatic": False}),
            at_share(one, share + 0.002, Moment.Kind.VERDICT, judged_as),
            at_share(one, share + 0.002, Moment.Kind.COUNTEREXAMPLE, broken_by),
        ]
    return told
