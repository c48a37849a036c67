"""Writes the two C++ files around a submission: its interface, and the scenarios that call it.

They are compiled apart. The file with the submission in it has nothing but calls of the class, and
the file with the scenarios never sees a macro, a name or an overload of the submission's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from graders.concurrency.scenarios import ALLOCATES, Instance, Operation, Scenario, Structure

SUBMISSION = "submission.hpp"
_SPECS = {"queue": "queue", "stack": "stack", "pool": "pool", "register": "reg"}
_IDENTIFIER = re.compile(r"[A-Za-z_]\w*")
_NO_MACRO = frozenset({"defined", "include", "undef", "pragma", "extern", "C"})

# The names that a person meets in a counterexample are short and without decoration.
_MAKE = """
extern "C" void gauntlet_make_{k}() {{ ::new (static_cast<void*>({object})) Object_{k}(); }}
extern "C" void gauntlet_destroy_{k}() {{ the_{k}().~Object_{k}(); }}
"""
# What a person reads of an item or a value is one number, which all of its words hold, or else -1.
# The item that pop is given holds -2 before, so that a change of it shows. Members, because a
# submission may overload functions.
TORN = -1
UNTOUCHED = -2
_SEVERAL_WORDS = """
struct gauntlet_words_{k} {{ unsigned long word[{words}]; }};
struct gauntlet_value_{k} {{
    static void fill(gauntlet_words_{k}& value, long number) {{
        for (auto& word : value.word) word = static_cast<unsigned long>(number);
    }}
    static long number(const gauntlet_words_{k}& value) {{
        for (const auto word : value.word)
            if (word != value.word[0]) return {torn};
        return static_cast<long>(value.word[0]);
    }}
}};
"""
_ONE_WORD = """
struct gauntlet_value_{k} {{
    static void fill(long& value, long number) {{ value = number; }}
    static long number(const long& value) {{ return value; }}
}};
"""
_ITEMS = """
extern "C" bool gauntlet_push_{k}(long number) {{
    {value} filled;
    gauntlet_value_{k}::fill(filled, number);
    const {value}& item = filled;
    return the_{k}().{push}(item);
}}
extern "C" bool gauntlet_pop_{k}(long* number) {{
    {value} item;
    gauntlet_value_{k}::fill(item, {untouched});
    const bool succeeded = the_{k}().{pop}(item);
    *number = gauntlet_value_{k}::number(item);
    return succeeded;
}}
"""
_BLOCKS = """
extern "C" void* gauntlet_allocate_{k}() {{ return the_{k}().{allocate}(); }}
extern "C" void gauntlet_release_{k}(void* block) {{ the_{k}().{release}(block); }}
"""
_WORDS = """
extern "C" void gauntlet_write_{k}(long number) {{
    {value} value;
    gauntlet_value_{k}::fill(value, number);
    the_{k}().{write}(value);
}}
extern "C" bool gauntlet_read_{k}(long* number) {{
    {value} value{{}};
    if (!the_{k}().{read}(value)) return false;
    *number = gauntlet_value_{k}::number(value);
    return true;
}}
"""
_DEMANDS = {
    "queue": (
        ("const {value}& a", "object.{push}(a)", "bool", "bool {push}(const T&)"),
        ("{value}& a", "object.{pop}(a)", "bool", "bool {pop}(T&)"),
    ),
    "pool": (
        ("", "object.{allocate}()", "void*", "void* {allocate}()"),
        ("void* a", "object.{release}(a)", "void", "void {release}(void*)"),
    ),
    "register": (
        ("const {value}& a", "object.{write}(a)", "void", "void {write}(const T&)"),
        ("{value}& a", "object.{read}(a)", "bool", "bool {read}(T&)"),
    ),
}
_DEMANDS["stack"] = _DEMANDS["queue"]


def instances_of(scenarios: Sequence[Scenario]) -> list[Instance]:
    """The different template arguments, in order of appearance; an index into it names one."""
    return list(dict.fromkeys(scenario.instance for scenario in scenarios))


def object_name(structure: Structure, instance: int, instances: int) -> str:
    """The variable that holds the object, as a counterexample names it."""
    name = "value" if structure.kind == "register" else structure.kind  # a word of C++'s own
    return name if instances == 1 else f"{name}_{instance}"


def interface(structure: Structure, instances: Sequence[Instance]) -> str:
    """The file with the submission: functions of C linkage that make, call and destroy objects."""
    tail = "".join(_interface_of(structure, k, instances) for k in range(len(instances)))
    # A macro of the submission's must not change what follows it.
    names = sorted(set(_IDENTIFIER.findall(tail)) - _NO_MACRO)
    undefined = "".join(f"#undef {name}\n" for name in names)
    return (
        f"#include <concepts>\n#include <cstddef>\n#include <new>\n"
        f'#include "{SUBMISSION}"\n{undefined}{tail}'
    )


def _interface_of(structure: Structure, k: int, instances: Sequence[Instance]) -> str:
    kind, instance = structure.kind, instances[k]
    # T is long where one word is asked for: that is what most people try their structure with.
    value = "long" if kind in ("queue", "stack") and instance.words == 1 else f"gauntlet_words_{k}"
    arguments = {
        "queue": f"{value}, {instance.capacity}",
        "stack": f"{value}, {instance.capacity}",
        "pool": f"{instance.block_bytes}, {instance.capacity}",
        "register": value,
    }[kind]
    name = object_name(structure, k, len(instances))
    text = ""
    if kind != "pool":
        kept = _ONE_WORD if value == "long" else _SEVERAL_WORDS
        text += kept.format(k=k, words=instance.words, torn=TORN)
    text += f"using Object_{k} = ::{structure.class_name}<{arguments}>;\n"
    for parameters, call, result, told in _DEMANDS[kind]:
        given = ", ".join(part for part in (f"Object_{k}& object", parameters) if part)
        text += (
            f"static_assert(requires({given.format(value=value)}) "
            f"{{ {{ {call.format(**structure.methods)} }} -> std::same_as<{result}>; }}, "
            f'"{structure.class_name} must have {told.format(**structure.methods)}");\n'
        )
    text += (
        f"alignas(64) alignas(Object_{k}) static unsigned char {name}[sizeof(Object_{k})];\n"
        f"static Object_{k}& the_{k}() {{ return *reinterpret_cast<Object_{k}*>({name}); }}"
    )
    bodies = {"queue": _ITEMS, "stack": _ITEMS, "pool": _BLOCKS, "register": _WORDS}
    text += _MAKE.format(k=k, object=name)
    return text + bodies[kind].format(k=k, value=value, untouched=UNTOUCHED, **structure.methods)


def scenarios_file(structure: Structure, scenarios: Sequence[Scenario]) -> str:
    """The file with the scenarios, in the words of ``check.h``."""
    instances = instances_of(scenarios)
    text = '#include "check.h"\n\nusing namespace check;\n\nnamespace {\n\n'
    for k, instance in enumerate(instances):
        text += _callers(structure, k, instance)
    listed = []
    for number, scenario in enumerate(scenarios):
        k = instances.index(scenario.instance)
        bodies = _Bodies(structure, scenario, number, k)
        text += bodies.text()
        listed.append(bodies.entry())
    text += "}  // namespace\n\nSCENARIOS(" + ",\n          ".join(listed) + ")\n"
    return text


_CALLERS = {
    "items": """
extern "C" bool gauntlet_push_{k}(long);
extern "C" bool gauntlet_pop_{k}(long*);
[[maybe_unused]] void push_{k}(long item) {{
    if (!gauntlet_operation_begins(int(check::Action::push), item)) return;
    gauntlet_operation_ends(gauntlet_push_{k}(item), item);
}}
[[maybe_unused]] void pop_{k}() {{
    if (!gauntlet_operation_begins(int(check::Action::pop), 0)) return;
    long item = 0;
    const bool succeeded = gauntlet_pop_{k}(&item);
    gauntlet_operation_ends(succeeded, succeeded ? item : 0);
{demands}}}
""",
    "words": """
extern "C" void gauntlet_write_{k}(long);
extern "C" bool gauntlet_read_{k}(long*);
[[maybe_unused]] void write_{k}(long value) {{
    if (!gauntlet_operation_begins(int(check::Action::write), value)) return;
    gauntlet_write_{k}(value);
    gauntlet_operation_ends(true, value);
}}
[[maybe_unused]] void read_{k}() {{
    if (!gauntlet_operation_begins(int(check::Action::read), 0)) return;
    long value = 0;
    const bool succeeded = gauntlet_read_{k}(&value);
    gauntlet_operation_ends(succeeded, value);
}}
""",
    "blocks": """
extern "C" void* gauntlet_allocate_{k}();
extern "C" void gauntlet_release_{k}(void*);
[[maybe_unused]] void* allocate_{k}(unsigned char tag) {{
    if (!gauntlet_operation_begins(int(check::Action::allocate), 0)) return nullptr;
    auto* block = static_cast<unsigned char*>(gauntlet_allocate_{k}());
    gauntlet_operation_ends(block != nullptr, reinterpret_cast<long>(block));
    if (!block) return nullptr;
    gauntlet_require(reinterpret_cast<unsigned long>(block) % {alignment} == 0,
                     "A block must be aligned to {alignment} bytes.");
    int i = 0;
    for (; i + 8 <= {block_bytes}; i += 8) *reinterpret_cast<unsigned long*>(block + i) = tag;
    for (; i < {block_bytes}; ++i) block[i] = tag;
    return block;
}}
[[maybe_unused]] void release_{k}(void* taken, unsigned char tag) {{
    auto* block = static_cast<unsigned char*>(taken);
    if (!block) return;
    bool kept = true;
    int i = 0;
    for (; i + 8 <= {block_bytes}; i += 8)
        kept &= *reinterpret_cast<unsigned long*>(block + i) == tag;
    for (; i < {block_bytes}; ++i) kept &= block[i] == tag;
    gauntlet_require(kept, "A block must keep what its owner wrote until it is deallocated.");
    if (!gauntlet_operation_begins(int(check::Action::release), reinterpret_cast<long>(block)))
        return;
    gauntlet_release_{k}(block);
    gauntlet_operation_ends(true, 0);
}}
""",
}


def _callers(structure: Structure, k: int, instance: Instance) -> str:
    kind = {"pool": "blocks", "register": "words"}.get(structure.kind, "items")
    return (
        f'extern "C" void gauntlet_make_{k}();\nextern "C" void gauntlet_destroy_{k}();'
    ) + _CALLERS[kind].format(
        k=k,
        alignment=structure.block_alignment_bytes,
        block_bytes=instance.block_bytes,
        demands=_demands_of_pop(structure, instance),
    )


def _demands_of_pop(structure: Structure, instance: Instance) -> str:
    """What must hold of the item behind a pop, besides its number."""
    lines = [
        f"gauntlet_require(!succeeded || item != {UNTOUCHED}, "
        '"A pop that succeeds must write its item: this one did not.");'
    ]
    if instance.words > 1:
        lines.append(
            f"gauntlet_require(!succeeded || item != {TORN}, "
            '"An item must come out whole: this one came out with words that were not its own.");'
        )
    if structure.failed_pop_keeps_item:
        lines.append(
            f"gauntlet_require(succeeded || item == {UNTOUCHED}, "
            '"A pop that fails must leave its item as it was: this one changed it.");'
        )
    return "".join(f"    {line}\n" for line in lines)


def _cpp(truth: bool) -> str:
    return "true" if truth else "false"


class _Bodies:
    """The functions of one scenario: its set-up, its threads and its end."""

    def __init__(self, structure: Structure, scenario: Scenario, number: int, k: int) -> None:
        self._structure = structure
        self._scenario = scenario
        self._number = number
        self._k = k
        parts = (scenario.setup, *scenario.threads, scenario.finish)
        users: dict[str, set[int]] = {}
        for part, operations in enumerate(parts):
            for operation in operations:
                if operation.block:
                    users.setdefault(operation.block, set()).add(part)
        self._tags = {block: tag for tag, block in enumerate(users, start=1)}
        alone = {0, len(parts) - 1}
        # Between threads a block goes through an atomic variable. Without need that would order
        # what the structure itself has to order.
        self._handed = {block for block, parts in users.items() if len(parts - alone) > 1}

    def text(self) -> str:
        scenario, n = self._scenario, self._number
        text = "".join(f"void* block_{n}_{block};\n" for block in self._tags)
        text += self._function("setup", [f"gauntlet_make_{self._k}();"], scenario.setup, [])
        for thread, operations in enumerate(scenario.threads):
            text += self._function(f"thread_{thread}", [], operations, [])
        end = [f"gauntlet_destroy_{self._k}();"]
        return text + self._function("finish", [], scenario.finish, end)

    def entry(self) -> str:
        structure, scenario, n = self._structure, self._scenario, self._number
        threads = ", ".join(f"thread_{i}_{n}" for i in range(len(scenario.threads)))
        capacity = 0 if structure.kind == "register" else scenario.instance.capacity
        return (
            f'{{.name = "{scenario.name}", .setup = setup_{n}, .threads = {{{threads}}}, '
            f".finish = finish_{n}, .spec = check::Spec::{_SPECS[structure.kind]}, "
            f".capacity = {capacity}, "
            f".of_failed_push = Excuse::{structure.failed_push_excused_by}, "
            f".of_failed_pop = Excuse::{structure.failed_pop_excused_by}, "
            f".may_hold_more = {_cpp(not structure.exact_capacity)}, "
            f".may_allocate = {_cpp(structure.may_allocate)}}}"
        )

    def _function(
        self, name: str, first: list[str], operations: Sequence[Operation], last: list[str]
    ) -> str:
        lines = [*first, *(line for one in operations for line in self._calls(one)), *last]
        body = "".join(f"    {line}\n" for line in lines)
        return f"void {name}_{self._number}() {{\n{body}}}\n"

    def _calls(self, operation: Operation) -> Iterator[str]:
        k = self._k
        if not operation.block:
            argument = operation.number or ""
            yield f"{operation.action}_{k}({argument});"
            return
        block = f"block_{self._number}_{operation.block}"
        tag = self._tags[operation.block]
        handed = operation.block in self._handed
        if operation.action in ALLOCATES:
            call = f"allocate_{k}({tag})"
            store = f"__atomic_store_n(&{block}, {call}, __ATOMIC_RELEASE);"
            yield store if handed else f"{block} = {call};"
            return
        load = f"__atomic_load_n(&{block}, __ATOMIC_ACQUIRE)"
        yield f"release_{k}({load if handed else block}, {tag});"
