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
    """A C++20 structure that threads share."""
    structure: Structure
    """The sequential object that it must look like."""
    entry_point: Identifier
    """The class template's name. A queue or stack is C<T, Capacity>, a pool C<BlockBytes, Blocks>,
    a register C<T>; T is one 8-byte word or several, as a case says."""
    signature: Text
    """Shown to the candidate."""
    operations: dict[str, Identifier]
    """From the structure's own name of each operation to the method's: push and pop, bool (const
    T&) and bool (T&); for a pool allocate and release, void* () and void (void*); for a
    register write and read, void (const T&) and bool (T&)."""
    progress: ProgressClass = "blocking"
    """The weakest class that is accepted; blocking is anything."""
    # Which overlapping operations excuse a failed one; "opposite": a pop for a push, a release for
    # an allocate, a write for a read. Vyukov's pop needs it behind a slow push. Excusing all would
    # let a try-lock pass for a ring.
    failed_push_excused_by: Excuse = "nothing"
    """Which overlapping operations excuse a push or an allocate that failed though there was room:
    opposite is a pop or a release. Any ring needs opposite twice whose sides read each other's
    index with acquire: both may miss the other's last step, and no order explains "full" and
    "empty" at once."""
    failed_pop_excused_by: Excuse = "nothing"
    """The same for a pop or a read: opposite is a push or a write."""
    failed_pop_keeps_item: bool = False
    """True if a pop of a queue or stack that fails must leave its argument as it was."""
    may_allocate: bool = True
    """False refuses operations that call malloc, which takes locks."""
    exact_capacity: bool = True
    """False if it may hold more than its capacity, never less."""
    block_alignment_bytes: int = Field(default=16, ge=1, le=4096)
    """Of a pool: what every block must be aligned to."""

    @model_validator(mode="after")
    def only_a_popped_item_can_be_kept(self) -> ConcurrencyGrader:
        if not self.failed_pop_keeps_item or self.structure in ("queue", "stack"):
            return self
        place: list[tuple[Location, str]] = [
            (
                ("failed_pop_keeps_item",),
                f"failed_pop_keeps_item must be of a queue or a stack, got a {self.structure}; "
                "leave it out",
            )
        ]
        raise contradiction(place)

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
