"""Sentences keep their template, so that a page can say them in the reader's language."""

from __future__ import annotations

import copy
import json

import pytest

from graders.text import from_json, say, say_n, to_json


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
