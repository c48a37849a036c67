"""A failed run as the counterexample ``operations``: every operation, the crash, and the disk."""

from __future__ import annotations

import contextlib

from graders.simulation.checkpointing.failure import Failure, Job
from graders.simulation.checkpointing.filesystem import Fate, FileSystem, Image, Misuse
from graders.simulation.checkpointing.run import Done, carry_out
from graders.simulation.stateful.steps import Cell, Row, Step, View, operations
from graders.text import say
from graders.verdict import JsonObject


def draw(job: Job, failure: Failure) -> JsonObject:
    """The data of the counterexample."""
    steps: list[Step] = []
    if failure.before:
        steps += _steps(failure.before, {}, {})
        note = say("The job crashes here and starts again from what the disk holds.")
        steps.append(Step(say("crash and restart"), [], [_held(failure.image)], note))
    fates = failure.crash.fates if failure.crash else {}
    steps += _steps(failure.done, failure.image, fates)
    if failure.crash is not None:
        rows = [
            Row(
                say("restore() on rank {rank}", rank=rank),
                failure.expected,
                failure.restored[rank] if rank < len(failure.restored) else None,
                ok=False,
            )
            for rank in range(job.n_ranks)
        ]
        steps.append(Step(say("crash"), rows, [_held(failure.crash.image)]))
    shown = len(steps) - 1
    make = say(
        "ranks: {ranks}, saves: {saves}, schedule: {schedule}",
        ranks=job.n_ranks,
        saves=job.saves,
        schedule=failure.schedule,
    )
    data = operations(make, steps, shown)
    data["traceback"] = failure.traceback
    return data


def _steps(done: tuple[Done, ...], image: Image, fates: dict[int, Fate]) -> list[Step]:
    disk = FileSystem(image)
    steps = []
    for number, one in enumerate(done):
        with contextlib.suppress(Misuse):  # by the operation that ended the run
            carry_out(disk, number, one.name, one.arguments, one.data)
        call = say(
            "step {step}, rank {rank}: {operation}",
            step=one.step,
            rank=one.rank,
            operation=str(one),
        )
        fate = fates.get(number)
        steps.append(Step(call, [], [_seen(disk)], _fate_text(fate), _fate_mark(fate)))
    return steps


def _fate_mark(fate: Fate | None) -> str:
    match fate:
        case Fate.LOST:
            return say("lost")
        case Fate.HALF:
            return say("half lost")
    return ""


def _fate_text(fate: Fate | None) -> str:
    match fate:
        case Fate.LOST:
            return say("In this crash it had not reached the disk: it is lost.")
        case Fate.HALF:
            return say("In this crash only half of it had reached the disk.")
        case Fate.KEPT:
            return say("In this crash it had reached the disk, though nothing said so.")
    return ""


def _seen(disk: FileSystem) -> View:
    cells = []
    for name, size, durable, name_is_durable in disk.describe():
        lines: list[str] = [
            say("{size} bytes, {certain} on the disk for certain", size=size, certain=durable),
            say("name on the disk for certain") if name_is_durable else say("name not certain yet"),
        ]
        certain = name_is_durable and size == durable
        cells.append(Cell(name, lines, "busy" if certain else "kept"))
    return View(say("The files, as the running system sees them"), cells)


def _held(image: Image) -> View:
    cells = [
        Cell(name, [say("{size} bytes", size=len(data)), _start_of(data)], "plain")
        for name, data in image.items()
    ]
    if not cells:
        cells = [Cell(say("empty"), [say("no file at all")], "faint")]
    return View(say("What the disk held after the crash"), cells)


def _start_of(data: bytes) -> str:
    if not data:
        return ""
    if not any(data):
        return say("zeros")
    shown = data[:24]
    printable = all(32 <= byte < 127 for byte in shown)
    text = shown.decode("ascii") if printable else shown[:8].hex(" ")
    return text + ("…" if len(data) > (24 if printable else 8) else "")
