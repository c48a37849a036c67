"""Asks the program that restores for its answers to disks that crashes left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from graders.simulation.checkpointing.answers import Restored, are_answers
from graders.simulation.checkpointing.filesystem import Crash
from graders.simulation.stateful.program import Broken, Harnessed
from graders.text import say
from graders.verdict import Json, Verdict

Tell = Callable[[Verdict, str, Crash], Exception]  # about one that gave no answer


def restore(
    program: Harnessed, crashes: Sequence[Crash], n_ranks: int, tell: Tell
) -> Iterator[list[Restored]]:
    """What each rank restores after each crash, all in one program.

    Raises
    ------
    Exception
        What `tell` makes of a crash after which the program gave no answer.
    ImportFailed
        If a program started anew could not import what an earlier one could.
    """
    images: list[Json] = [list(crash.image) for crash in crashes]
    blobs = [data for crash in crashes for data in crash.image.values()]
    said = program.ask({"do": "restore", "images": images, "n_ranks": n_ranks}, *blobs)
    if isinstance(said, Broken) and len(crashes) > 1:
        # Which of them was it? One at a time; the first that ends the program speaks.
        for crash in crashes:
            yield from restore(program, [crash], n_ranks, tell)
        return
    if isinstance(said, Broken):
        text = say("restore after a crash: {what}", what=said.text)
        raise tell(said.verdict, text, crashes[0])
    answers = said[0].get("restored")
    if not are_answers(answers, len(crashes), n_ranks):
        broken = program.forged()
        raise tell(broken.verdict, broken.text, crashes[0])
    yield from answers or []
