"""One question to a submission and what came of it; choosing and shrinking the one that fails."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from graders.budget import Budget
from graders.function.programs import (
    Checker,
    NoJson,
    Raised,
    Reply,
    Returned,
    Stopped,
    Submission,
)
from graders.harness.items import Item
from graders.ports import StopReason
from graders.verdict import JsonObject, Verdict

TRIES = 60  # questions asked to shrink one counterexample

_STOPPED = {
    StopReason.EXITED: Verdict.RUNTIME_ERROR,
    StopReason.SIGNALLED: Verdict.RUNTIME_ERROR,
    StopReason.CPU_TIME: Verdict.TIME_LIMIT,
    StopReason.WALL_TIME: Verdict.TIME_LIMIT,
    StopReason.MEMORY: Verdict.MEMORY_LIMIT,
    StopReason.OUTPUT: Verdict.OUTPUT_LIMIT,
    StopReason.BAD_FRAME: Verdict.RUNTIME_ERROR,
}


@dataclass(frozen=True, slots=True)
class Trial:
    """One literal input, the submission's reply and what the checker says of it.

    `lead` names the item that speaks first if it is wrong; empty for the checker's own order.
    """

    input: JsonObject
    reply: Reply
    items: tuple[Item, ...] = ()
    complaint: str = ""
    lead: str = ""

    @property
    def right(self) -> list[Item]:
        return [item for item in self.items if item.ok]

    @property
    def wrong(self) -> list[Item]:
        wrong = [item for item in self.items if not item.ok]
        return sorted(wrong, key=lambda item: item.name != self.lead)

    @property
    def score(self) -> float:
        """Share of items that are right."""
        return len(self.right) / len(self.items) if self.items else 0.0

    @property
    def verdict(self) -> Verdict:
        match self.reply:
            case Stopped(outcome):
                return _STOPPED[outcome.reason]
            case Raised():
                return Verdict.RUNTIME_ERROR
            case NoJson():
                return Verdict.WRONG_ANSWER
            case Returned():
                failed = self.complaint or self.wrong
                return Verdict.WRONG_ANSWER if failed else Verdict.ACCEPTED

    def fails_like(self, other: Trial) -> bool:
        """This trial shows the same mistake as `other`, whose first wrong item counts."""
        if isinstance(self.reply, Raised) and isinstance(other.reply, Raised):
            return self.reply.error == other.reply.error
        if other.wrong:
            first = other.wrong[0]
            return any(
                item.name == first.name and item.misconception == first.misconception
                for item in self.wrong
            )
        return self._misshapen and other._misshapen

    @property
    def _misshapen(self) -> bool:
        return isinstance(self.reply, NoJson) or bool(self.complaint)


def attempt(arguments: JsonObject, submission: Submission, checker: Checker) -> Trial:
    """Ask the submission once, and the checker about its answer."""
    reply = submission.call(arguments)
    if not isinstance(reply, Returned):
        return Trial(arguments, reply)
    said = checker.check(arguments, reply.answer)
    if isinstance(said, str):
        return Trial(arguments, reply, complaint=said)
    return Trial(arguments, reply, items=tuple(said))


def most_telling(failed: list[Trial], checker: Checker) -> Trial:
    """Of trials with the same verdict, the one to begin to shrink from.

    An answer of the wrong shape goes before a wrong number. Among wrong numbers the item that the
    checker lists first speaks, since later items often follow from it; then the misconception
    that explains most of the trials; then the simplest input.
    """
    if not all(trial.wrong and not trial.complaint for trial in failed):
        failed = [trial for trial in failed if not trial.wrong]
        return min(failed, key=lambda trial: len(checker.simpler(trial.input)))
    order = [item.name for item in failed[0].items]
    first = min((trial.wrong[0].name for trial in failed), key=order.index)
    failed = [trial for trial in failed if trial.wrong[0].name == first]
    named = Counter(t.wrong[0].misconception for t in failed if t.wrong[0].misconception)
    if named:
        likely = named.most_common(1)[0][0]
        failed = [trial for trial in failed if trial.wrong[0].misconception == likely]
    return min(failed, key=lambda trial: len(checker.simpler(trial.input)))


def shrink(failed: Trial, submission: Submission, checker: Checker) -> Trial:
    """Leave features out one at a time for as long as the same mistake shows.

    Greedy, and at most `TRIES` questions (see `graders.budget`). A submission that stops answering
    on the way is not asked again; a stopped trial is returned as it is, because each question more
    would cost its whole time limit.
    """
    if isinstance(failed.reply, Stopped):
        return failed
    budget = Budget(TRIES)
    shrinking = True
    while shrinking:
        shrinking = False
        for arguments in checker.simpler(failed.input):
            if budget.is_spent:
                return failed
            budget.spend()
            trial = attempt(arguments, submission, checker)
            if isinstance(trial.reply, Stopped):
                submission.close()
                return failed
            if trial.fails_like(failed):
                # Keep the item that spoke first, even where an earlier one now fails too.
                lead = failed.wrong[0].name if failed.wrong else ""
                failed, shrinking = replace(trial, lead=lead), True
                break
    return failed
