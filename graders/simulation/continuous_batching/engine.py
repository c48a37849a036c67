"""An inference engine without a model: requests, a KV cache, and what a step of it costs.

A step processes some tokens of some requests, as the candidate's scheduler chooses. A request that
is given the last token of its context produces one more token of output at the end of the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from graders.text import Text, clean, say
from graders.verdict import JsonObject

STEP_MS = 8.0
MS_PER_TOKEN = 0.05
IDLE_STEPS = 20  # in a row that schedule nothing while something could run


@dataclass(frozen=True, slots=True)
class Limits:
    """What holds for a whole case.

    Attributes
    ----------
    token_budget : int
        Tokens that one step may process.
    kv_tokens : int
        Tokens that the KV cache holds.
    ttft_ms, itl_ms : float
        From arrival to the first token, and between two tokens: above them a request is no good.
    starvation_ms : float
        No request may wait longer than this for its next token.
    """

    token_budget: int
    kv_tokens: int
    ttft_ms: float
    itl_ms: float
    starvation_ms: float

    @classmethod
    def read(cls, fields: Mapping[str, Any]) -> Limits:
        """From a case's input; raises ValueError where it is no such thing."""
        names = set(cls.__dataclass_fields__)
        if set(fields) != names or not all(value > 0 for value in fields.values()):
            raise ValueError(f"limits must be positive and named {sorted(names)}, got {fields}")
        return cls(**fields)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A request of a trace. `output` is what it will produce, which no scheduler knows."""

    name: str
    at_ms: float
    prompt: int
    output: int


@dataclass(slots=True)
class Request:
    """A request that has arrived and is not done."""

    arrival: Arrival
    computed: int = 0  # tokens of its context in the KV cache
    generated: int = 0
    token_ms: list[float] = field(default_factory=list)  # when each token of output came

    @property
    def context(self) -> int:
        """Tokens that must be in the cache before the next one can come."""
        return self.arrival.prompt + self.generated

    def waits_since_ms(self) -> float:
        """Since when it has waited for its next token."""
        return self.token_ms[-1] if self.token_ms else self.arrival.at_ms

    def to_json(self) -> JsonObject:
        return {
            "id": self.arrival.name,
            "arrival_ms": self.arrival.at_ms,
            "prompt": self.arrival.prompt,
            "generated": self.generated,
            "computed": self.computed,
        }


@dataclass(frozen=True, slots=True)
class Broken:
    """A rule that a step breaks; `kind` names it for whoever shrinks the trace."""

    kind: str
    text: Text


class Engine:
    """The state between steps."""

    def __init__(self, limits: Limits, trace: list[Arrival]) -> None:
        self.limits = limits
        self.now_ms = 0.0
        self.alive: dict[str, Request] = {}
        self.done: list[Request] = []
        self.preemptions = 0
        self._coming = sorted(trace, key=lambda one: (one.at_ms, one.name))
        self._idle = 0
        self._admit()

    @property
    def is_over(self) -> bool:
        return not self.alive and not self._coming

    def kv_used(self) -> int:
        """Tokens in the KV cache."""
        return sum(request.computed for request in self.alive.values())

    def take(self, answer: Any) -> Broken | None:
        """Carry out what the scheduler chose; None if it keeps the rules."""
        broken = self._shape(answer)
        if broken is not None:
            return broken
        run, preempt = answer["run"], answer["preempt"]
        broken = self._check(run, preempt)
        if broken is not None:
            return broken
        for name in preempt:
            self.preemptions += self.alive[name].computed > 0
            self.alive[name].computed = 0
        used = self.kv_used() + sum(run.values())
        if used > self.limits.kv_tokens:
            return Broken(
                "kv",
                say(
                    "the KV cache holds {limit} tokens: after this step it would hold {used}. "
                    "Preempt a request, or run fewer tokens.",
                    limit=self.limits.kv_tokens,
                    used=used,
                ),
            )
        tokens = sum(run.values())
        self.now_ms += STEP_MS + MS_PER_TOKEN * tokens if tokens else 1.0
        for name, count in run.items():
            self._process(self.alive[name], count)
        self._admit()
        return self._progress(tokens)

    def _shape(self, answer: Any) -> Broken | None:
        valid = isinstance(answer, dict) and set(answer) == {"run", "preempt"}
        valid = valid and isinstance(answer["run"], dict) and isinstance(answer["preempt"], list)
        if valid:
            valid = all(type(count) is int and count > 0 for count in answer["run"].values())
            valid = valid and all(isinstance(name, str) for name in answer["preempt"])
        if valid:
            return None
        return Broken(
            "shape",
            say(
                'schedule must return {{"run": {{id: tokens}}, "preempt": [id, ...]}} with '
                "positive numbers of tokens, got {got}",
                got=f"{answer!r:.120}",
            ),
        )

    def _check(self, run: dict[str, int], preempt: list[str]) -> Broken | None:
        for name in [*run, *preempt]:
            if name not in self.alive:
                text = say(
                    "only requests that are there can be named, got {name}", name=clean(name)[:40]
                )
                return Broken("unknown", text)
        both = [name for name in run if name in preempt]
        if both or len(set(preempt)) < len(preempt):
            text = say(
                "a request is run or preempted, and named once: {name} is named twice",
                name=(both or preempt)[0],
            )
            return Broken("twice", text)
        for name, count in run.items():
            request = self.alive[name]
            left = request.context - request.computed
            if count > left:
                text = say(
                    "a request can be given the tokens of its context that are not computed yet: "
                    "{name} has {left} left, got {count}",
                    name=name,
                    left=left,
                    count=count,
                )
                return Broken("too many", text)
        tokens = sum(run.values())
        if tokens > self.limits.token_budget:
            text = say(
                "a step may process {limit} tokens, got {tokens}. Cut a prompt into chunks.",
                limit=self.limits.token_budget,
                tokens=tokens,
            )
            return Broken("budget", text)
        return None

    def _process(self, request: Request, count: int) -> None:
        request.computed += count
        if request.computed < request.context:
            return
        request.generated += 1
        request.token_ms.append(self.now_ms)
        if request.generated == request.arrival.output:
            self.done.append(self.alive.pop(request.arrival.name))

    def _admit(self) -> None:
        if not self.alive and self._coming:
            self.now_ms = max(self.now_ms, self._coming[0].at_ms)
        while self._coming and self._coming[0].at_ms <= self.now_ms:
            arrival = self._coming.pop(0)
            self.alive[arrival.name] = Request(arrival)

    def _progress(self, tokens: int) -> Broken | None:
        self._idle = 0 if tokens or not self.alive else self._idle + 1
        if self._idle == IDLE_STEPS:
            text = say(
                "something must run while requests wait: {count} steps in a row ran nothing, and "
                "{name} waits. Preempt somebody, or run what fits.",
                count=IDLE_STEPS,
                name=min(self.alive),
            )
            return Broken("idle", text)
        for name, request in self.alive.items():
            waited_ms = self.now_ms - request.waits_since_ms()
            if waited_ms > self.limits.starvation_ms:
                text = say(
                    "no request may starve: {name} has waited {waited} ms for its next token, and "
                    "{limit} ms are allowed. Let the oldest go first at some point.",
                    name=name,
                    waited=f"{waited_ms:.0f}",
                    limit=f"{self.limits.starvation_ms:.0f}",
                )
                return Broken("starved", text)
        return None


def is_good(request: Request, limits: Limits) -> bool:
    """Whether a finished request kept both limits."""
    return ttft_ms(request) <= limits.ttft_ms and longest_gap_ms(request) <= limits.itl_ms


def ttft_ms(request: Request) -> float:
    """From its arrival to its first token."""
    return request.token_ms[0] - request.arrival.at_ms


def longest_gap_ms(request: Request) -> float:
    """The longest time between two of its tokens; 0 for one token."""
    gaps = [
        after - before
        for before, after in zip(request.token_ms, request.token_ms[1:], strict=False)
    ]
    return max(gaps, default=0.0)
