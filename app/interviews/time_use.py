"""The drawing of time use against plan: a bar a round, all on one scale."""

from __future__ import annotations

from typing import Any

WIDTH = 640.0  # of the drawing, in its own units
ROW_HEIGHT = 34.0
TICKS_MIN = (5, 10, 15, 30, 60, 120)


def time_use(rounds: list[dict[str, Any]]) -> dict[str, Any]:
    """Bars for the rounds of a debrief.

    Returns
    -------
    dict
        ``width``, ``height``; ``bars`` with ``round``, ``y`` and the lengths ``planned``,
        ``allowed`` (added minutes too) and ``used``; ``ticks`` with ``x`` and ``minutes``.
    """
    longest_s: float = max(
        [60.0, *(max(one["planned_s"] + one["added_s"], one["used_s"]) for one in rounds)]
    )

    def length(seconds: float) -> float:
        return round(WIDTH * seconds / longest_s, 1)

    step_min = next((step for step in TICKS_MIN if longest_s / 60 / step <= 6), TICKS_MIN[-1])
    ticks = range(0, int(longest_s / 60) + 1, step_min)
    return {
        "width": WIDTH,
        "height": ROW_HEIGHT * len(rounds),
        "bars": [
            {
                "number": one["number"],
                "title": one["title"],
                "y": ROW_HEIGHT * index,
                "planned": length(one["planned_s"]),
                "allowed": length(one["planned_s"] + one["added_s"]),
                "used": length(one["used_s"]),
                "used_s": one["used_s"],
                "planned_s": one["planned_s"],
                "added_s": one["added_s"],
                "was_sat": one["was_sat"],
                "round": one,
            }
            for index, one in enumerate(rounds)
        ],
        "ticks": [{"x": length(60 * minutes), "minutes": minutes} for minutes in ticks],
    }
