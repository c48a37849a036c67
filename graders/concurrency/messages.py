"""The runner's sentences, as ones that can be translated, and what a person is told beside them.

The runner is C++ and writes plain English. A sentence that is listed here is recognised and said
again with its values apart; one that is not stays as it came.
"""

from __future__ import annotations

import re
from functools import cache

from graders.text import Text, say

_ = "{}"  # stands for a value, which the runner's sentence brings
_SENTENCES: tuple[Text, ...] = (
    say("Memory must be freed by the end: {n_bytes} bytes that thread {thread} allocated were not, "
        "and nothing leads to them any more.", n_bytes=_, thread=_),
    say("A thread must not end by an exception."),
    say("Some thread must always be able to go on: here thread {threads} waits for a value that no "
        "thread will store.", threads=_),
    say("An operation must end when no other thread disturbs it: this one goes on for more than "
        "{count} steps.", count=_),
    say("Atomic accesses to one address must have one size: this program mixes {first} and "
        "{second} bytes.", first=_, second=_),
    say("Atomic objects that overlap are not supported."),
    say("Memory must not be used after it was freed: these {n_bytes} bytes are written after "
        "thread {thread} freed them.", n_bytes=_, thread=_),
    say("Memory must not be used after it was freed: these {n_bytes} bytes are read after thread "
        "{thread} freed them.", n_bytes=_, thread=_),
    say("An access must stay inside its block: these {n_bytes} bytes are written outside of any, "
        "{offset} bytes after the start of a block of {block_bytes} bytes.",
        n_bytes=_, offset=_, block_bytes=_),
    say("An access must stay inside its block: these {n_bytes} bytes are read outside of any, "
        "{offset} bytes after the start of a block of {block_bytes} bytes.",
        n_bytes=_, offset=_, block_bytes=_),
    say("An access must stay inside its block: these {n_bytes} bytes are written outside of any.",
        n_bytes=_),
    say("An access must stay inside its block: these {n_bytes} bytes are read outside of any.",
        n_bytes=_),
    say("Two threads must not touch the same memory, one of them writing, unless one happens "
        "before the other: {first} by thread {first_thread} and {second} by thread "
        "{second_thread} are not ordered.", first=_, first_thread=_, second=_, second_thread=_),
    say("A thread must not allocate more than {n_mib} MiB in one execution.", n_mib=_),
    say("Only the start of an allocated block can be freed."),
    say("A block must be freed once: thread {thread} freed this one already.", thread=_),
    say("A block must be freed by the function that goes with its allocation."),
    say("Memory must not be freed while a thread may still use it: the free by thread {thread} and "
        "{access} by thread {other} are not ordered.", thread=_, access=_, other=_),
    say("A mutex must be unlocked before it is locked again."),
    say("A mutex must be unlocked by the thread that locked it."),
    say("A thread that is alone must not wait for a notification."),
    say("A program under the model checker must not call {what}.", what=_),
    say("The program must not end itself: it called {what}.", what=_),
    say("An assertion must hold: {assertion}.", assertion=_),
    say("A thread must only touch memory that exists: it used address {address}.", address=_),
    say("A thread must not crash: it got signal {signal}.", signal=_),
    say("A loop must end or wait for an atomic variable: this one does neither."),
    say("A thread must only touch the program's own memory: it writes {n_bytes} bytes at "
        "{address}, which are not.", n_bytes=_, address=_),
    say("A thread must only touch the program's own memory: it reads {n_bytes} bytes at {address}, "
        "which are not.", n_bytes=_, address=_),
    say("An exception must be thrown and caught by the language's own words: {what} is no "
        "exception of this program's.", what=_),
    say("what is thrown"), say("the type thrown"), say("what is caught"), say("what is freed"),
    say("what goes on"),
    say("Of thread_local variables only the program's own are modelled."),
    say("A call through a pointer must reach the beginning of a function of the program: this one "
        "does not."),
    say("A function must return to where it was called: the return address on its stack was "
        "overwritten."),
    say("An operation of this structure must not allocate memory, since malloc takes locks: this "
        "one does. Take all memory when the structure is made."),
    say("a read"), say("a write"),
    say("an atomic read"), say("an atomic write"), say("a plain read"), say("a plain write"),
    say("Only what was pushed may be popped: {item} never was.", item=_),
    say("An item must be popped once: {item} was popped twice.", item=_),
    say("A read must succeed when no write overlaps it."),
    say("A read must give the last value written before it, or one that a concurrent write "
        "stores."),
    say("A read must give all words of one write: this one gave words of two."),
    say("A push may fail only when the structure is full: no order of these operations makes it "
        "so."),
    say("A pop may fail only when the structure is empty: no order of these operations makes it "
        "so."),
    say("Items must come out in the order in which they went in: no order of these operations "
        "gives that."),
    say("The last item in must come out first: no order of these operations gives that."),
    say("An item that was pushed must be there until it is popped: no order of these operations "
        "accounts for all items."),
    say("An allocation may fail only when all blocks are out: no order of these operations makes "
        "it so."),
    say("A block must not be given out twice, nor more than {capacity} blocks at a time: no order "
        "of these operations avoids it.", capacity=_),
    say("The structure must not hold more than its capacity of {capacity}: no order of these "
        "operations avoids it.", capacity=_),
    say("An item must come out whole: this one came out with words that were not its own."),
    say("A pop that succeeds must write its item: this one did not."),
    say("A pop that fails must leave its item as it was: this one changed it."),
    say("A block must be aligned to {n_bytes} bytes.", n_bytes=_),
    say("A block must keep what its owner wrote until it is deallocated."),
    say("With thread {thread} suspended after its step {step}, thread {other} waits for ever "
        "inside an operation.", thread=_, step=_, other=_),
    say("With thread {thread} suspended after its step {step}, the others return, but answer "
        "wrongly. {rule}", thread=_, step=_, rule=_),
    say("Disturbed at every step, an operation of thread {thread} takes {steps} steps instead of "
        "at most {alone}.", thread=_, steps=_, alone=_),
    # Values of the sentences above.
    say("a read"),
    say("a write"),
    say("a plain read"),
    say("a plain write"),
    say("an atomic read"),
    say("an atomic write"),
)  # fmt: skip


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], Text], ...]:
    found = []
    for sentence in _SENTENCES:
        parts = re.split(r"\{(\w+)\}", sentence.template)
        pattern = "".join(
            f"(?P<{part}>.+?)" if index % 2 else re.escape(part) for index, part in enumerate(parts)
        )
        found.append((re.compile(pattern), sentence))
    return tuple(found)


def sentence(text: str) -> str:
    """A sentence of the runner's, with its values apart where it is known."""
    for pattern, known in _patterns():
        if match := pattern.fullmatch(text):
            values = {name: sentence(value) for name, value in match.groupdict().items()}
            return say(known.template, **values)
    return text


def advice(kind: str) -> str:
    """What to do about a failure of this kind; empty where the sentence itself says it."""
    match kind:
        case "race":
            return say(
                "Make the store that announces the data a release and the load that finds it an "
                "acquire, or use an atomic."
            )
        case "unsupported":
            return say(
                "The model checker cannot judge this, so it is refused: use std::atomic, "
                "std::mutex, std::condition_variable or atomic waiting instead."
            )
        case "ended" | "uncaught_exception":
            return say("Report failure by the operation's answer.")
        case "use_after_free" | "double_free":
            return say("Free a node only when no other thread can still hold a pointer to it.")
        case "leak":
            return say("Free what was allocated, at the latest in the destructor.")
        case "stuck":
            return say("Follow the steps to see who waits for whom.")
        case "torn":
            return say("Order the reads of the words between the two reads of the sequence.")
        case "out_of_memory":
            return say("Give back what is no longer needed.")
        case "foreign_memory" | "foreign_jump":
            return say("Use pointers only to objects that the program itself made.")
    return ""
