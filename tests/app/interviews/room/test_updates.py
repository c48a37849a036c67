"""Updates are read to their last byte before the document library sees them."""

from __future__ import annotations

import random

import pytest
from pycrdt import Doc, Map, Text

from app.interviews.room.updates import MalformedUpdate, check_state_vector, check_update

HELLO = "hello\nworld é😀"


def document(words: str = HELLO) -> tuple[Doc[Text], Text]:
    doc: Doc[Text] = Doc()
    text = doc.get("text", type=Text)
    text.insert(0, words)
    return doc, text


def test_what_an_editor_writes_is_let_pass() -> None:
    doc, text = document()
    check_update(doc.get_update())
    before = doc.get_state()
    text.insert(3, "zz")
    del text[1:4]
    check_update(doc.get_update())
    check_update(doc.get_update(before))
    check_update(Doc().get_update())
    check_state_vector(doc.get_state())


def test_whatever_is_let_pass_leaves_a_plain_text() -> None:
    whole = document()[0].get_update()
    draw = random.Random(1)
    passed = 0
    for _turn in range(1500):
        changed = bytearray(whole)
        changed[draw.randrange(len(changed))] = draw.randrange(256)
        try:
            check_update(bytes(changed))
        except MalformedUpdate:
            continue
        passed += 1
        doc, text = document("abc")
        doc.apply_update(bytes(changed))
        assert all(isinstance(chunk, str) and not facts for chunk, facts in text.diff())
        doc.get_update()
    assert 100 < passed < 1400


def test_a_count_that_asks_for_gigabytes_is_refused() -> None:
    with pytest.raises(MalformedUpdate, match="at most"):
        check_update(b"\xff\xff\xff\xff\x0f")
    with pytest.raises(MalformedUpdate, match="at most"):
        check_state_vector(b"\xff\xff\xff\xff\x0f")


def test_formats_embeds_other_types_and_forbidden_characters_are_refused() -> None:
    formatted, text = document()
    text.format(0, 3, {"bold": True})
    embedded, text = document()
    text.insert_embed(1, {"image": "x"})
    elsewhere: Doc[Text] = Doc()
    elsewhere.get("other", type=Text).insert(0, "x")
    mapped: Doc[Map[str]] = Doc()
    mapped.get("text", type=Map)["key"] = "value"
    carriage, _text = document("a\r\nb")
    for doc in (formatted, embedded, elsewhere, mapped, carriage, document("\0")[0]):
        with pytest.raises(MalformedUpdate):
            check_update(doc.get_update())


def test_every_end_too_early_or_too_late_is_refused() -> None:
    whole = document()[0].get_update()
    for size in range(len(whole)):
        with pytest.raises(MalformedUpdate):
            check_update(whole[:size])
    with pytest.raises(MalformedUpdate, match="follow"):
        check_update(whole + b"\0")


def test_an_update_says_what_it_builds_on_and_what_it_brings() -> None:
    doc, text = document("one ")
    client = doc.client_id
    first = check_update(doc.get_update())
    before, clocks = doc.get_state(), check_state_vector(doc.get_state())
    text.insert(0, "two ")
    del text[5:7]
    second = check_update(doc.get_update(before))
    assert (first.begins, first.ends) == ({client: 0}, {client: 4})
    assert (second.begins, second.ends) == ({client: 4}, {client: 8})
    assert first.is_complete({})
    assert first.is_new({})
    assert not first.is_new(clocks)
    assert second.is_complete(clocks)
    assert not second.is_complete({})
    # Another writer's words that it stands beside, or takes away.
    other: Doc[Text] = Doc()
    words = other.get("text", type=Text)
    other.apply_update(doc.get_update())
    known = other.get_state()
    del words[0:1]
    deletion = check_update(other.get_update(known))
    assert deletion.ends == {}
    assert deletion.is_complete({client: 8})
    assert not deletion.is_complete({client: 4})
