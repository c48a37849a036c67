"""Reports and counterexamples as plain text, for the commands beside the web."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MAX_ROWS = 40
MAX_LINES = 60


def counterexample_lines(counterexample: dict[str, Any]) -> Iterator[str]:
    """What a counterexample's drawing shows, as lines: arithmetic, waits, messages, text."""
    data = counterexample["data"]
    if counterexample["kind"] == "interleaving":
        yield from interleaving_lines(data)
        return
    for group in data.get("configuration", []):
        rows = [f"{row['name']}={row['value']}" for row in group["rows"]]
        plain = len(group["rows"]) == 1 and group["rows"][0]["name"] == group["name"]
        yield from _wrapped("" if plain else f"{group['name']}: ", rows)
    if isinstance(data.get("input"), dict):
        yield from _wrapped("input: ", [f"{key}={value}" for key, value in data["input"].items()])
    if "expected_text" in data:
        unit = f" {data['unit']}" if data.get("unit") else ""
        yield f"right: {data['expected_text']}{unit}"
        yield f"yours: {data['got_text']}{unit}"
    for step in data.get("steps", []):
        yield f"{step['label']}: {step['value_text']} {step['unit']}".rstrip()
        yield f"    = {step['formula']}"
        yield f"    = {step['numbers']}"
    yield from _design(data)
    for edge in data.get("wait_graph", {}).get("edges", []):
        yield edge["text"]
    yield from _table(_messages(data.get("diagram") or {}))
    yield from _operations(data)
    yield from _timeline(data.get("timelines") or {})
    for vector in data.get("vectors", []):
        ended = "did not return"
        if vector["after"] is not None:
            after = [f"[{one['text']}]" if one["wrong"] else one["text"] for one in vector["after"]]
            ended = f"after {' '.join(after)}"
        yield f"rank {vector['rank']}: before {' '.join(vector['before'])}, {ended}"
    for key in ("answer", "traceback", "output"):
        text = str(data.get(key) or "").strip()
        if text not in counterexample["summary"]:
            yield from text.splitlines()[-MAX_LINES:]


def _design(data: dict[str, Any]) -> Iterator[str]:
    """The arithmetic of a design's constraint, a cheaper design, or what cannot be read."""
    for term in data.get("terms", []):
        rule = f"  = {term['formula']}" if term["formula"] else ""
        yield f"{term['label']}: {term['value_text']} {term['unit']}".rstrip() + rule
    for change in (data.get("better") or {}).get("changes", []):
        yield f"{change['field']}: {change['before']} -> {change['after']}"
    for fault in data.get("faults", [])[1:]:
        yield f"line {fault['line']}, column {fault['column']}: {fault['message']}"


def _operations(data: dict[str, Any]) -> Iterator[str]:
    """A sequence of operations; what was asked after a wrong one, and the state there."""
    if "make" in data:
        yield data["make"]
    for step in data.get("operations", []):
        mark = f"  [{step['mark']}]" if step["mark"] else ""
        yield f"{step['number']:>3}  {step['call']}{mark}"
        if step["note"]:
            yield f"     {step['note']}"
        if not step["ok"]:
            for row in step["rows"]:
                mark = " " if row["ok"] else "!"
                yield f"   {mark} {row['name']}: must be {row['expected']}, is {row['answer']}"
        if step["shown"]:
            for view in step["views"]:
                yield f"     {view['title']}:"
                for cell in view["cells"]:
                    yield f"       {cell['name']}: {', '.join(cell['lines'])}"
    yield from _table([[str(one) for one in row.values()] for row in data.get("growth", [])])


def interleaving_lines(data: dict[str, Any]) -> Iterator[str]:
    """An execution: what was called and answered, then each step with its thread and line."""
    for operation in data["operations"]:
        mark = "!" if operation["wrong"] else " "
        yield (f"{mark} thread {operation['thread']}: {operation['text']} -> {operation['answer']}")
    rows = [["", "step", "thread", "line", "what happens"]]
    for number, step in enumerate(data["steps"], start=1):
        mark = "!" if step["wrong"] else "~" if step["stale"] else ""
        line = "" if step["line"] is None else str(step["line"])
        note = f" ({step['note']})" if step.get("note") else ""
        rows.append([mark, str(number), str(step["thread"]), line, f"{step['text']}{note}"])
    yield from _table(rows)


def _messages(diagram: dict[str, Any]) -> list[list[str]]:
    """The diagram's table of messages: what is text or a number in it; the rest is geometry."""
    messages = diagram.get("messages", [])
    if not messages:
        return []
    columns = [key for key, value in messages[0].items() if isinstance(value, str | int | float)]
    return [columns, *([_cell(message[key]) for key in columns] for message in messages)]


def _timeline(timelines: dict[str, Any]) -> Iterator[str]:
    """The candidate's operations on a pipeline, rank by rank; what is wrong has a mark."""
    if not timelines:
        return
    yield timelines["yours"]["text"]
    for row in timelines["yours"]["rows"]:
        told = []
        for cell in timelines["yours"]["cells"]:
            if cell["rank"] == row["rank"]:
                kind = "".join(part["kind"] for part in cell["parts"])
                numbers = [
                    n for part in cell["parts"] for n in (part["micro_batch"], part["stage"])
                ]
                when = "never" if cell["begin"] is None else f"{cell['begin']}-{cell['end']}"
                told.append(f"{'!' if cell['bad'] else ''}{kind}{tuple(numbers)} {when}")
        yield from _wrapped(f"rank {row['rank']}: ", told)


def _cell(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else ""
    return str(value)


def _table(rows: list[list[str]]) -> Iterator[str]:
    """Rows with columns of equal width, no more than can be read."""
    if not rows:
        return
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows[:MAX_ROWS]:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()
    if len(rows) > MAX_ROWS:
        yield f"... and {len(rows) - MAX_ROWS} more"


def _wrapped(head: str, parts: list[str]) -> Iterator[str]:
    """`parts` behind `head`, as many on a line as fit."""
    line = head
    for part in parts:
        if line != head and len(line) + len(part) > 96:
            yield line.rstrip()
            line = " " * len(head)
        line += f"{part} "
    yield line.rstrip()
