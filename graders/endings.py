"""How programs end, as sentences; every kind of grader says it alike."""

from __future__ import annotations

from graders.ports import Outcome, Shortage, StopReason
from graders.text import Text, say


def how_it_ended(outcome: Outcome) -> Text:
    """A program's end as the second half of a sentence."""
    if outcome.shortage is not None:
        return say("the program failed when {fact}", fact=_shortage(outcome.shortage))
    match outcome.reason:
        case StopReason.EXITED:
            return say("the program exited with code {code}", code=str(outcome.exit_code))
        case StopReason.SIGNALLED:
            return say("the program was ended by signal {signal}", signal=str(outcome.signal))
        case StopReason.CPU_TIME:
            return say(
                "the program had used {cpu_time_s:.1f} s of CPU time",
                cpu_time_s=outcome.cpu_time_s,
            )
        case StopReason.WALL_TIME:
            return say(
                "no answer came in time; it had run for {wall_time_s:.1f} s",
                wall_time_s=outcome.wall_time_s,
            )
        case StopReason.MEMORY:
            return say(
                "the program had used {memory_mib:.0f} MiB of memory",
                memory_mib=outcome.memory_mib,
            )
        case StopReason.OUTPUT:
            return say("the program had printed more than is allowed")
        case StopReason.BAD_FRAME:
            return say("something wrote to the judge's pipe beside it")


def _shortage(shortage: Shortage) -> Text:
    """The refusal as the end of a sentence: ``the program failed when ...``."""
    match shortage:
        case Shortage.PROCESSES:
            return say("it asked for one process or thread more than it may have")
        case Shortage.SCRATCH:
            return say("it wrote more into files than it may")
        case Shortage.FILES:
            return say("it made more files than it may")
