"""The grader section of a C++ structure that threads share, and what a case of it holds."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from problems.strict import Location, Strict, Text, contradiction

Structure = Literal["queue", "stack", "pool", "register"]
Excuse = Literal["nothing", "opposite", "any"]
ProgressClass = Literal["blocking", "stalls", "lock_free", "wait_free"]
Identifier = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_]*$", max_length=60)]

OPERATIONS: dict[str, tuple[str, str]] = {
    "queue": ("push", "pop"),
    "stack": ("push", "pop"),
    "pool": ("allocate", "release"),
    "register": ("write", "read"),
}


class ConcurrencyGrader(Strict):
    """A C++20 class template, put before a model checker, sanitizers and a stopwatch.

    `structure` decides the sequential object that it must look like, and how it is instantiated:

    - queue, stack: ``C<T, Capacity>`` with ``bool push(const T&)`` and ``bool pop(T&)``;
    - pool: ``C<BlockBytes, Blocks>`` with ``void* allocate()`` and ``void release(void*)``;
    - register: ``C<T>`` with ``void write(const T&)`` and ``bool read(T&)``.
    """

    kind: Literal["concurrency"]
    structure: Structure
    entry_point: Identifier  # the name of the class template
    signature: Text  # shown to the candidate
    operations: dict[str, Identifier]  # the structure's own name of each operation -> the method's
    progress: ProgressClass = "blocking"  # the weakest class that is accepted
    # Which overlapping operations excuse a failed one; "opposite": a pop for a push, a release for
    # an allocate, a write for a read. Vyukov's pop needs it behind a slow push. Excusing all would
    # let a try-lock pass for a ring.
    failed_push_excused_by: Excuse = "nothing"  # and a failed allocate
    failed_pop_excused_by: Excuse = "nothing"  # and a failed read
    may_allocate: bool = True  # false: an operation that calls malloc is refused
    exact_capacity: bool = True  # false: it may hold more than Capacity, never less
    block_alignment_bytes: int = Field(default=16, ge=1, le=4096)  # pool only

    @model_validator(mode="after")
    def every_operation_has_a_method(self) -> ConcurrencyGrader:
        wanted = OPERATIONS[self.structure]
        if set(self.operations) == set(wanted):
            return self
        place: list[tuple[Location, str]] = [
            (
                ("operations",),
                f"operations of a {self.structure} must name the methods for {wanted[0]} and "
                f"{wanted[1]}, got {', '.join(self.operations) or 'none'}; correct the keys",
            )
        ]
        raise contradiction(place)
