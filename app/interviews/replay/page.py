"""What the replay's page shows before any script runs: all moments, and the text at one of them."""

from __future__ import annotations

from typing import Any

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from app.interviews.models import AskedFollowUp, InterviewRound, Moment
from app.interviews.replay.recording import Recording, form_of, language_of
from app.practice.drawn import page_context as form_page_context
from app.practice.markdown import render as render_markdown
from app.practice.wording import in_words

# What is said and shown beside the text, in the order in which it came.
SAID = (
    Moment.Kind.ROUND_BEGAN,
    Moment.Kind.HINT,
    Moment.Kind.FOLLOW_UP,
    Moment.Kind.ANSWER,
    Moment.Kind.CHAT,
    Moment.Kind.NOTE,
)


def page_context(recording: Recording, *, moment: str, seconds: str) -> dict[str, Any]:
    """What ``interviews/replay.html`` shows.

    Parameters
    ----------
    moment, seconds : str
        From the address: the number of a moment, or a time since the start; the first counts.
    """
    interview, rounds = recording.interview, recording.rounds()
    moments = recording.moments()
    asked_for = recording.moment_at(sequence=moment, seconds=seconds)
    one, text = recording.text_at(asked_for)
    return {
        "interview": interview,
        "is_design": True,  # a result of any kind may be shown: all style sheets are
        "rounds": [_round(each, "") for each in rounds],
        "moments": moments,
        "said": _said(recording, rounds, moments),
        "authors": recording.authors(),
        "shown": None if one is None else _round(one, text) | {"text": text},
        "moment": asked_for,
    }


def statement_of(one: InterviewRound) -> SafeString:
    """The statement or prompt, with the values that were drawn for this round."""
    version = one.version
    if version is None:
        return render_markdown(one.question_spec.prompt, {})
    statement = version.statement
    if version.spec.is_drawn_per_attempt:
        statement, _form = form_page_context(version, one.seed, statement, "")
    return render_markdown(statement, version.files)


def _round(one: InterviewRound, text: str) -> dict[str, Any]:
    """A round's name and, where its text is a form, the form as `text` fills it in."""
    form = form_of(one)
    told: dict[str, Any] = {
        "number": one.number,
        "title": one.title,
        "form": form,
        "language": language_of(one),
        "file_name": one.version.spec.solution_name if one.version and form == "code" else "",
    }
    if one.version is not None and form in ("worksheet", "trace"):
        _statement, shown = form_page_context(one.version, one.seed, "", text)
        told |= shown
    if form == "trace":
        told["spans"] = [
            {
                "number": span["number"],
                "told": _("%(name)s · rank %(rank)s, %(track)s · %(start)s ms, %(length)s ms long")
                % {
                    "name": span["name"],
                    "rank": rank["number"],
                    "track": track["name"],
                    "start": span["start_ms"],
                    "length": span["duration_ms"],
                },
                "is_chosen": span["is_chosen"],
            }
            for rank in told["ranks"]
            for track in rank["tracks"]
            for span in track["spans"]
        ]
    return told


def _said(
    recording: Recording, rounds: list[InterviewRound], moments: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Chat, hints, questions, answers and notes, each with what it says."""
    hints = {one.number: one.hints for one in rounds}
    titles = {one.number: one.title for one in rounds}
    asked = AskedFollowUp.objects.filter(interview_round__interview=recording.interview)
    judgements = dict(asked.exclude(judgement=None).values_list("pk", "judgement"))
    said: list[dict[str, Any]] = []
    for moment in moments:
        if moment["kind"] not in SAID:
            continue
        payload = moment["payload"]
        further: dict[str, Any] = {"title": titles.get(moment["round"], "")}
        if moment["kind"] == Moment.Kind.HINT:
            own, index = hints.get(moment["round"], []), int(payload["index"])
            further["hint"] = own[index] if index < len(own) else ""
            further["number"] = index + 1
        elif moment["kind"] == Moment.Kind.ANSWER:
            judgement = judgements.get(payload["follow_up"])
            further["judgement"] = in_words(judgement) if judgement else None  # type: ignore[arg-type]
            given = payload["answer"]
            further["answer"] = "\n".join(given) if isinstance(given, list) else given
        further["is_candidate"] = moment["author_id"] == recording.interview.candidate_id
        said.append({**moment, **further})
    return said
