"""What a program was refused, as sentences; every kind of grader says it alike."""

from __future__ import annotations

from graders.ports import Shortage
from graders.text import Text, say


def shortage_text(shortage: Shortage) -> Text:
    """The refusal as the end of a sentence: ``the program failed when ...``."""
    match shortage:
        case Shortage.PROCESSES:
            return say("it asked for one process or thread more than it may have")
        case Shortage.SCRATCH:
            return say("it wrote more into files than it may")
        case Shortage.FILES:
            return say("it made more files than it may")
