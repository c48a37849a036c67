"""What a replay is made of, by plain queries: rounds, stretches of time, moments; edits in pages.

Times are whole microseconds since the interview started, as the database keeps them, so that two
things in the same millisecond stay in their order. What happened in the same microsecond is in the
order of `sequence`.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from django.db.models import Count, Max, Min, Q

from app.interviews.models import Interview, InterviewRound, Moment, Role
from app.interviews.room.documents import text_at
from app.practice.drawn import is_trace
from app.practice.templatetags.practice import tone
from app.practice.wording import in_words

EDITS_A_PAGE = 5000
ONE_US = timedelta(microseconds=1)
SHORTEST_GAP_US = 1_000_000  # between rounds: what is less is the server at work, and no break


@dataclass(frozen=True)
class Recording:
    """An ended interview as somebody may see it: with private moments, or without."""

    interview: Interview
    with_private: bool

    def us(self, at: datetime) -> int:
        """Microseconds since the start; what came before it, such as an interviewer, is at 0."""
        started = self.interview.started_at or self.interview.created_at
        return max(0, (at - started) // ONE_US)

    def rounds(self) -> list[InterviewRound]:
        """Those that were sat. What was drawn for the others stays unknown."""
        sat = self.interview.rounds.filter(status=InterviewRound.Status.ENDED)
        return list(sat.select_related("version__problem", "interview"))

    def moments(self) -> list[dict[str, Any]]:
        """All but the edits, in the order in which they happened, as `told` takes them.

        Returns
        -------
        list of dict
            ``sequence``, ``us``, ``offset_s``, ``kind``, ``author`` (name or None), ``author_id``,
            ``round`` (number or None), ``payload`` in words, and ``tone`` of a verdict.
        """
        shown = self.interview.moments.exclude(kind=Moment.Kind.EDIT)
        if not self.with_private:
            shown = shown.exclude(kind__in=Moment.PRIVATE)
        told = [self._moment(one) for one in shown.select_related("author", "interview_round")]
        return sorted(told, key=lambda moment: (moment["us"], moment["sequence"]))

    def _moment(self, moment: Moment) -> dict[str, Any]:
        us = self.us(self.interview.time_of(moment))
        told: dict[str, Any] = {
            "sequence": moment.sequence,
            "us": us,
            "offset_s": us / 1e6,
            "kind": str(moment.kind),
            "author": moment.author.get_username() if moment.author else None,
            "author_id": moment.author_id,
            "round": moment.interview_round.number if moment.interview_round else None,
            "payload": in_words(moment.payload),
        }
        if moment.kind == Moment.Kind.VERDICT:
            told["tone"] = tone(str(moment.payload.get("verdict", "")))
        return told

    def authors(self) -> list[dict[str, Any]]:
        """Who took part, with their role; edits name them by their place in this list."""
        # By who came first: whoever comes after the end changes no place.
        known = self.interview.moments.exclude(author=None).order_by()
        people = (
            known.values_list("author_id", "author__username")
            .annotate(first=Min("sequence"))
            .order_by("first")
        )
        return [
            {
                "id": pk,
                "name": name,
                "role": Role.CANDIDATE.value
                if pk == self.interview.candidate_id
                else Role.INTERVIEWER.value,
            }
            for pk, name, _first in people
        ]

    def as_json(self) -> dict[str, Any]:
        """What the player draws, without edits and without what is said: the page has that.

        Returns
        -------
        dict
            ``authors``: ``name``, ``role``; ``rounds``, see `_round`; ``stretches``, see
            `stretches_of`; ``moments``: ``sequence``, ``us``, ``kind``, ``round``, and ``tone``,
            ``submission``, ``minutes`` where they have one; ``end_us``.
        """
        rounds, moments = self.rounds(), self.moments()
        edits = self._edits_by_round()
        told = [self._round(one, edits.get(one.pk)) for one in rounds]
        for one, after in pairwise(told):
            one["to_us"] = min(one["to_us"], after["from_us"])
        end_us = max([0, *(one["to_us"] for one in told), *(one["us"] for one in moments)])
        return {
            "authors": [
                {"name": person["name"], "role": person["role"]} for person in self.authors()
            ],
            "rounds": told,
            "stretches": stretches_of(told, _pauses(moments, end_us), end_us),
            "moments": [_drawn(moment) for moment in moments],
            "end_us": end_us,
        }

    def _edits_by_round(self) -> dict[int, dict[str, Any]]:
        edits = self.interview.moments.filter(kind=Moment.Kind.EDIT).order_by()
        rows = edits.values("interview_round").annotate(
            count=Count("pk"), first=Min("sequence"), last_at=Max("at")
        )
        return {row["interview_round"]: dict(row) for row in rows}

    def _round(self, one: InterviewRound, edits: dict[str, Any] | None) -> dict[str, Any]:
        """A round: its text's ``form``, its time, how many edits it has.

        It lasts until the last word that the grace let in. ``text`` is what stood there in the end,
        for a round that was sat before edits were recorded; None where the edits tell.
        """
        started, ended = one.started_at or one.interview.created_at, one.ended_at
        if edits is not None and not self._has_splices(edits["first"]):
            edits = None
        until = max(filter(None, [started, ended, edits and edits["last_at"]]))
        return {
            "number": one.number,
            "form": form_of(one),
            "language": language_of(one),
            "from_us": self.us(started),
            "to_us": self.us(until),
            "minutes": one.minutes,
            "edits": edits["count"] if edits else 0,
            "text": None if edits else one.text,
        }

    def _has_splices(self, sequence: int) -> bool:
        first = self.interview.moments.filter(sequence=sequence)
        return first.filter(payload__has_key="splice").exists()

    def edits(self, one: InterviewRound, after: int) -> dict[str, Any]:
        """A page of the edits of a round, oldest first.

        Returns
        -------
        dict
            ``edits``: rows ``[sequence, us, author, at, gone, new]``, `author` a place in
            `authors` or -1, the last three a splice in UTF-16 units; ``next``: the sequence to ask
            for the next page with, or None.
        """
        places = {person["id"]: place for place, person in enumerate(self.authors())}
        # By the interview's numbers, which are an index; and never the update or the state.
        edits = self.interview.moments.filter(
            interview_round=one, kind=Moment.Kind.EDIT, sequence__gt=after
        ).order_by("sequence")
        fields = edits.values_list("sequence", "at", "author_id", "payload__splice")
        page = list(fields[:EDITS_A_PAGE])
        rows = [
            [sequence, self.us(at), places.get(author, -1), *splice]
            for sequence, at, author, splice in page
            if splice is not None
        ]
        return {"edits": rows, "next": page[-1][0] if len(page) == EDITS_A_PAGE else None}

    def moment_at(self, *, sequence: str, seconds: str) -> Moment | None:
        """The moment that an address asks for, by its number or by seconds since the start."""
        shown = self.interview.moments.all()
        if not self.with_private:
            shown = shown.exclude(kind__in=Moment.PRIVATE)
        if sequence.isdecimal() and len(sequence) < 10:
            return shown.filter(sequence=int(sequence)).first()
        try:
            span = timedelta(seconds=float(seconds))
        except (ValueError, OverflowError):
            return None
        started = self.interview.started_at or self.interview.created_at
        if not timedelta() <= span < timedelta(days=365):
            return None
        return shown.filter(at__lte=started + span).order_by("-at", "-sequence").first()

    def text_at(self, moment: Moment | None) -> tuple[InterviewRound | None, str]:
        """The round in which a moment falls, and its text as it stood then.

        In the break it is the round before. Without a moment: the first round, as it began.
        """
        rounds = self.rounds()
        begun = [one for one in rounds if moment and one.started_at and one.started_at <= moment.at]
        one = begun[-1] if begun else next(iter(rounds), None)
        if one is None:
            return None, ""
        edits = one.moments.filter(kind=Moment.Kind.EDIT).order_by("sequence")
        first = edits.first()
        if first is None:
            return one, one.text
        if moment is not None:
            # A verdict is recorded when somebody looks: its time counts, and not its number.
            by_then = Q(at__lt=moment.at) | Q(at=moment.at, sequence__lte=moment.sequence)
            last = edits.filter(by_then).last()
            if last is not None:
                return one, text_at(one, last.sequence)
        # The starter stood there from the first instant, whenever it was written down.
        return one, text_at(one, first.sequence) if first.author_id is None else ""


def form_of(one: InterviewRound) -> str:
    """How its text is shown: ``code``, ``notes``, ``worksheet`` or ``trace``."""
    if one.version is None:
        return "notes"
    if not one.version.spec.is_drawn_per_attempt:
        return "code"
    return "trace" if is_trace(one.version.spec) else "worksheet"


def language_of(one: InterviewRound) -> str:
    """The language of its code, for highlighting; nothing for notes."""
    return "" if one.version is None else one.version.spec.language.value


def stretches_of(
    rounds: list[dict[str, Any]], pauses: Iterable[tuple[int, int]], end_us: int
) -> list[dict[str, Any]]:
    """The whole time from 0 to `end_us` without gaps: rounds, pauses in them, what lies between.

    Returns
    -------
    list of dict
        ``kind`` (``round``, ``pause``, ``break``, or ``after`` the last round), ``round`` (its
        number; that of the round before in breaks and after), ``from_us``, ``to_us``.
    """
    stretches: list[dict[str, Any]] = []
    done_us, number = 0, None

    def add(kind: str, until_us: int) -> None:
        nonlocal done_us
        if kind in ("break", "after") and until_us - done_us < SHORTEST_GAP_US:
            if stretches and until_us > done_us:
                stretches[-1]["to_us"] = done_us = until_us
        elif until_us > done_us:
            stretch = {"kind": kind, "round": number, "from_us": done_us, "to_us": until_us}
            stretches.append(stretch)
            done_us = until_us

    pauses = list(pauses)
    for one in rounds:
        add("break", one["from_us"])
        number = one["number"]
        for from_us, to_us in pauses:
            if one["from_us"] <= from_us < one["to_us"]:
                add("round", from_us)
                add("pause", min(to_us, one["to_us"]))
        add("round", one["to_us"])
    add("after", end_us)
    return stretches


def _pauses(moments: list[dict[str, Any]], end_us: int) -> Iterable[tuple[int, int]]:
    since: int | None = None
    for moment in moments:
        if moment["kind"] == Moment.Kind.PAUSED:
            since = moment["us"]
        elif moment["kind"] == Moment.Kind.RESUMED and since is not None:
            yield since, moment["us"]
            since = None
    if since is not None:
        yield since, end_us


def _drawn(moment: dict[str, Any]) -> dict[str, Any]:
    drawn = {name: moment[name] for name in ("sequence", "us", "kind", "round")}
    payload = moment["payload"]
    further = {
        "tone": moment.get("tone"),
        "submission": payload.get("submission"),
        "minutes": payload.get("minutes"),
    }
    return drawn | {name: value for name, value in further.items() if value is not None}
