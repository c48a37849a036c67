"""Sentences keep their template, so that a page can say them in the reader's language."""

from __future__ import annotations

import copy
import json

import pytest

from graders.text import (
    MAX_CHARACTERS,
    Text,
    from_json,
    from_sandbox,
    say,
    say_list,
    say_n,
    to_json,
)


def test_a_sentence_reads_as_plain_english() -> None:
    assert say("rank {rank} waits {wait_s:.1f} s", rank=3, wait_s=0.25) == "rank 3 waits 0.2 s"


def test_a_sentence_crosses_json_and_is_said_in_another_language() -> None:
    inner = say("rank {rank}", rank=3)
    told = {"rows": ["as it is", say("{who} must send first", who=inner)]}
    wire = json.loads(json.dumps(to_json(told)))
    german = {"{who} must send first": "{who} muss zuerst senden", "rank {rank}": "Rang {rank}"}
    assert from_json(wire) == {"rows": ["as it is", "rank 3 must send first"]}
    said = from_json(wire, lambda template, plural, count: german[template])
    assert said == {"rows": ["as it is", "Rang 3 muss zuerst senden"]}


@pytest.mark.parametrize(("count", "said"), [(1, "1 message"), (0, "0 messages")])
def test_a_count_chooses_the_form(count: int, said: str) -> None:
    text = say_n("{count} message", "{count} messages", count=count)
    assert text == said
    assert from_json(to_json(text)) == said
    asked = []
    from_json(to_json(text), lambda *given: asked.append(given) or given[0])  # type: ignore[func-returns-value]
    assert asked == [("{count} message", "{count} messages", count)]


@pytest.mark.parametrize("template", ["{rank.__class__}", "{rank[0]}", "{}", "{0}"])
def test_a_template_cannot_reach_into_its_values(template: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        say(template, rank=3)


def test_a_translation_that_does_not_fit_is_said_in_english() -> None:
    wire = to_json(say("rank {rank}", rank=3))
    for broken in ("{ran}", "{rank", "{rank.real}"):
        assert from_json(wire, lambda *_, broken=broken: broken) == "rank 3"


def test_a_copy_is_still_a_sentence() -> None:
    assert to_json(copy.deepcopy(say("rank {rank}", rank=3))) == to_json(say("rank {rank}", rank=3))


def test_a_sentence_about_nan_is_kept_as_it_reads_in_english() -> None:
    assert to_json(say("got {value}", value=float("nan"))) == "got nan"


@pytest.mark.parametrize("key", ["$say", "$$say", "$$$say", "$said", "say"])
def test_an_object_with_the_sentences_key_is_not_taken_for_a_sentence(key: str) -> None:
    mine = {key: {"template": "Accepted", "values": {}}}
    assert from_json(json.loads(json.dumps(to_json(mine)))) == mine


@pytest.mark.parametrize(
    "template", ["{x:999999999}", "{x:.999999999f}", "{x:{x}}", "{x!s}", "{x!a}", "{x:=^9}"]
)
def test_no_format_can_fill_the_memory(template: str) -> None:
    with pytest.raises(ValueError, match="a format must be"):
        say(template, x=3)


@pytest.mark.parametrize(
    ("parts", "said"), [(["0"], "0"), (["0", "2"], "0 and 2"), (["0", "2", "3"], "0, 2 and 3")]
)
def test_a_list_is_a_sentence_too(parts: list[str], said: str) -> None:
    assert say_list(parts) == said
    if len(parts) > 1:
        assert isinstance(say_list(parts), Text)


def test_a_sentence_comes_out_of_a_sandbox_as_it_went_in() -> None:
    inner = say_n("{count} key", "{count} keys", count=2)
    sent = say("{name} must have {keys}, got {got:.3f}", name="size", keys=inner, got=0.5)
    read = from_sandbox(json.loads(json.dumps(to_json(sent))))
    assert read == sent
    assert to_json(read) == to_json(sent)


def test_a_plain_text_of_a_sandbox_is_cut_and_cleaned() -> None:
    assert from_sandbox("a\0b\ud800" + "x" * MAX_CHARACTERS)[:4] == "a\N{REPLACEMENT CHARACTER}b?"
    assert len(from_sandbox("x" * (MAX_CHARACTERS + 1))) == MAX_CHARACTERS


def nested(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = {"$say": {"template": "{x}", "values": {"x": value}}}
    return value


@pytest.mark.parametrize(
    "hostile",
    [
        None,
        3,
        ["x"],
        {},
        {"$say": "x"},
        {"$say": {"template": "x"}},
        {"$say": {"template": "x", "values": []}},
        {"$say": {"template": 3, "values": {}}},
        {"$say": {"template": "x" * (MAX_CHARACTERS + 1), "values": {}}},
        {"$say": {"template": "x\0", "values": {}}},
        {"$say": {"template": "{x}", "values": {}}},
        {"$say": {"template": "{x", "values": {"x": 1}}},
        {"$say": {"template": "{x.real}", "values": {"x": 1}}},
        {"$say": {"template": "{x:99999999}", "values": {"x": 1}}},
        {"$say": {"template": "{x:d}", "values": {"x": "text"}}},
        {"$say": {"template": "{x}" * 21, "values": {"x": 1}}},
        {"$say": {"template": "{x}{x}", "values": {"x": "x" * MAX_CHARACTERS}}},
        {"$say": {"template": "{x}", "values": {"x": [1]}}},
        {"$say": {"template": "{x}", "values": {"x": None}}},
        {"$say": {"template": "{x}", "values": {"x": float("inf")}}},
        {"$say": {"template": "{x}", "values": {"x": 2**2000}}},
        {"$say": {"template": "x", "plural": "y", "values": {}}},
        {"$say": {"template": "x", "plural": "y", "values": {"count": "1"}}},
        {"$say": {"template": "x", "plural": 1, "values": {"count": 1}}},
        nested(50),
    ],
)
def test_a_hostile_sentence_is_refused_and_costs_nothing(hostile: object) -> None:
    with pytest.raises(ValueError, match=r"must|may|brace|format|got|expected"):
        from_sandbox(hostile)
