"""A whole day by the server's clock: seven rounds and two talks, and nobody presses a button."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from app.accounts.models import User
from app.interviews import running
from app.interviews.models import Interview, Moment, RoundSubmission
from app.practice.models import Problem, Submission
from problems.interviews.reading import shipped
from tests.app.interviews.conftest import MovedClock, current
from tests.app.practice_data import RIGHT, accept, another_problem

pytestmark = pytest.mark.django_db


def test_a_loop_of_seven_rounds_runs_to_its_end_by_itself(
    owner: User,
    owner_client: Client,
    problem: Problem,
    queued: list[Submission],
    server_clock: MovedClock,
) -> None:
    for number in (1, 2, 4, 5, 6, 7):
        another_problem(problem, f"of-round-{number}", round=number)
    form = owner_client.get("/interviews/new/?template=full-loop").context["set_up"]
    # As the template has it, but the clock may be stopped.
    data = {"title": "A day", "pause": "on", "break_minutes": "15"}
    for index, row in enumerate(form.rows):
        data |= {f"stage-{index}-what": row.row["what"], f"stage-{index}-minutes": "60"}
    owner_client.post("/interviews/new/", data)
    day = Interview.objects.get()
    server_clock.stop()
    begun = server_clock.now()
    running.start(day, owner)

    def here() -> tuple[str, int | None]:
        running.sweep()  # the only thing that looks
        day.refresh_from_db()
        one = day.current_round()
        return str(day.status), one.number if one else None

    seen = [here()]
    for number in range(1, 10):
        if number == 3:
            server_clock.forward(minutes=20)
            assert running.pause(day, owner)
            server_clock.forward(hours=5)
            assert here() == ("running", 3), "a clock that stands ends nothing"
            assert running.resume(day, owner)
            server_clock.forward(minutes=40)
        elif number == 5:
            assert running.add_minutes(current(day), 25, owner)
            server_clock.forward(minutes=60)
            assert here() == ("running", 5), "25 minutes were given"
            server_clock.forward(minutes=25)
        else:
            server_clock.forward(minutes=60)
        if number in (2, 8):  # the last words, a moment before the end
            server_clock.forward(seconds=-30)
            current(day).save_text(RIGHT, current(day).revision)
            server_clock.forward(seconds=30)
        assert here() == ("running", number), "the grace is not over"
        server_clock.forward(seconds=6)
        seen.append(here())
        server_clock.forward(minutes=15)
        seen.append(here())
    planned = [stage.round for stage in shipped().templates["full-loop"].stages]
    assert [one.loop_round for one in day.rounds.all()] == planned
    assert seen == [
        ("running", 1),
        *(step for n in range(2, 10) for step in (("running", None), ("running", n))),
        ("ended", None),
        ("ended", None),
    ]

    # Nine hours, eight breaks, a pause and what was given; the grace counts for nobody's time.
    grace = 9 * timedelta(seconds=6)
    assert day.ended_at is not None
    assert day.ended_at - begun == (
        timedelta(hours=9 + 5, minutes=8 * 15 + 25) + grace - timedelta(seconds=6)
    )
    used = {one.number: one.used_s for one in day.rounds.all()}
    assert used == {number: 3600.0 + 1500.0 * (number == 5) for number in range(1, 10)}
    assert {one.ended_by for one in day.rounds.all()} == {"time"}

    # What stood in the editor was sent by the clock, and the verdicts find their place.
    automatic = RoundSubmission.objects.filter(is_automatic=True)
    assert [one.interview_round.number for one in automatic.order_by("pk")] == [2, 8]
    assert queued == [one.submission for one in automatic.order_by("pk")]
    for submission in queued:
        accept(submission)
    assert running.sweep() == 1
    told = owner_client.get(f"/interviews/{day.pk}/debrief.json").json()
    assert told["summary"] | {"used_s": 0} == {
        "rounds": 9,
        "sat": 9,
        "problems": 7,
        "accepted": 2,
        "being_judged": 0,
        "nothing_submitted": 5,
        "time_was_up": 9,
        "hints": 0,
        "asked": 0,
        "answered": 0,
        "used_s": 0,
        "planned_s": 9 * 3600,
    }
    kinds = list(day.moments.values_list("kind", flat=True))
    for kind, count in ((Moment.Kind.ROUND_BEGAN, 9), (Moment.Kind.ROUND_ENDED, 9)):
        assert kinds.count(kind) == count
    assert kinds.count(Moment.Kind.PAUSED) == kinds.count(Moment.Kind.RESUMED) == 1
    sequences = list(day.moments.values_list("sequence", flat=True))
    assert sequences == list(range(1, len(sequences) + 1))
