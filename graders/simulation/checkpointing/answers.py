"""What restores may answer, and what is wrong with those that answer something else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

from graders.simulation.checkpointing.run import Run, state_of
from graders.simulation.stateful.program import raised_in, sandbox_text
from graders.text import say
from graders.verdict import Verdict

Restored: TypeAlias = Any  # of one rank: [step, hex], None or an object; the candidate's word


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a restore may give: steps, each with the life that it was saved in."""

    saved_in: frozenset[tuple[int, int]]  # (step, life)
    may_be_none: bool

    @classmethod
    def now(cls, run: Run, before: dict[int, int], life: int) -> Allowed:
        """For a crash at this moment; `before` says in which life older steps were saved."""
        lives = {step: before.get(step, life) for step in (run.ended, run.saving) if step}
        if run.saving:
            lives[run.saving] = life
        return cls(frozenset(lives.items()), may_be_none=run.ended == 0)

    @property
    def lives(self) -> dict[int, int]:
        """The life of each step."""
        return dict(self.saved_in)

    def text(self) -> str:
        steps = " or ".join(str(step) for step in sorted(self.lives))
        if not self.may_be_none:
            return say("step {steps}", steps=steps)
        return say("None or step {steps}", steps=steps) if steps else "None"


def are_answers(said: object, n_images: int, n_ranks: int) -> bool:
    """Whether this is a list of what the harness says of each disk: one answer a rank."""
    if not isinstance(said, list) or len(said) != n_images:
        return False
    return all(
        isinstance(one, list) and len(one) == n_ranks and all(map(_is_answer, one)) for one in said
    )


def _is_answer(one: object) -> bool:
    if isinstance(one, list):
        return len(one) == 2 and type(one[0]) is int and isinstance(one[1], str)
    return one is None or (isinstance(one, dict) and bool(one.keys() & {"raised", "malformed"}))


def fault_of(restored: list[Restored], allowed: Allowed, seed: int) -> tuple[Verdict, str, str]:
    """Verdict, rule and fact, and a traceback; no text if the answers of all ranks are right.

    Parameters
    ----------
    seed : int
        What the states were drawn from.
    """
    wrong = Verdict.WRONG_ANSWER
    for rank, one in enumerate(restored):
        if isinstance(one, dict) and "raised" in one:
            broken = raised_in(one["raised"], "restore")
            text = say("on rank {rank}: {what}", rank=rank, what=broken.text)
            return broken.verdict, text, broken.traceback
        if isinstance(one, dict):
            fault = sandbox_text(one.get("malformed"))
            return wrong, say("{fault} (on rank {rank})", fault=fault, rank=rank), ""
    steps = [None if one is None else one[0] for one in restored]
    for rank, step in enumerate(steps):
        if step != steps[0]:
            text = say(
                "all ranks must restore the same step, or the model is a mixture: rank 0 "
                "restores {first}, rank {rank} restores {other}. Let one file decide which "
                "step counts, and write it when all ranks are done.",
                first=_step_text(steps[0]),
                rank=rank,
                other=_step_text(step),
            )
            return wrong, text, ""
    return wrong, _fault_of_step(steps[0], restored, allowed, seed), ""


def _fault_of_step(step: Any, restored: list[Restored], allowed: Allowed, seed: int) -> str:
    if step is None and allowed.may_be_none:
        return ""
    if step is None:
        return say(
            "a step whose save has ended on every rank must survive: restore gives None, and "
            "{expected} was safe. Make the new checkpoint certain before you remove the old "
            "one: fsync the file, and the directory for its name.",
            expected=allowed.text(),
        )
    if type(step) is not int or step not in allowed.lives:
        return say(
            "restore must give the newest step whose save has ended, or the one that is being "
            "saved: {expected} here, got {got}. A save that returns must have made its step "
            "certain: fsync its files, and the directory for their names.",
            expected=allowed.text(),
            got=_step_text(step),
        )
    for rank, one in enumerate(restored):
        right = state_of(seed, step, rank, allowed.lives[step])
        if one[1] != right.hex():
            return _fault_of_state(step, rank, one[1], right)
    return ""


def _fault_of_state(step: int, rank: int, got: Any, right: bytes) -> str:
    try:
        state = bytes.fromhex(str(got))
    except ValueError:
        state = b""
    if state and all(byte in (good, good ^ 0xFF) for byte, good in zip(state, right, strict=False)):
        if len(state) < len(right) and state == right[: len(state)]:
            return say(
                "restore must give a whole state: that of step {step} on rank {rank} ends after "
                "{got} of {want} bytes. Call a checkpoint complete only after an fsync of its "
                "files.",
                step=step,
                rank=rank,
                got=len(state),
                want=len(right),
            )
        if len(state) == len(right):
            return say(
                "training goes on after resume and changes the state: what was restored for step "
                "{step} on rank {rank} is the state of a later moment. Copy it before resume.",
                step=step,
                rank=rank,
            )
    return say(
        "restore must give the state as it was when save was called: that of step {step} on rank "
        "{rank} is another ({got} bytes, {want} are right). Call a checkpoint complete only after "
        "an fsync of its files, and never write into the files of one that counts.",
        step=step,
        rank=rank,
        got=len(state),
        want=len(right),
    )


def _step_text(step: object) -> str:
    return "None" if step is None else say("step {step}", step=str(step)[:40])


def shown(one: Restored) -> str:
    if isinstance(one, list) and len(one) == 2:
        n_bytes = len(str(one[1])) // 2
        return say("step {step}, {count} bytes", step=str(one[0])[:40], count=n_bytes)
    return "None" if one is None else say("an exception")
