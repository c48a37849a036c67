"""No file breaks the reader of designs: each is read, or refused in words that can be kept."""

from __future__ import annotations

import json
import time

import pytest

from graders.answers.reading import UNSTORABLE
from graders.design.explaining import unreadable
from graders.design.reading import MAX_FAULTS, read
from graders.text import to_json
from tests.graders.design.box import groups
from tests.graders.hostile import documents

DOCUMENTS = documents("room.power", "room.why", "network.tiers")


@pytest.mark.parametrize("what", DOCUMENTS)
def test_no_file_is_more_than_the_reader_can_take(what: str) -> None:
    source = DOCUMENTS[what]
    started_s = time.process_time()
    reading = read(groups(), source)
    # The room's required fields are missing in all of them.
    assert reading.design is None
    assert 0 < len(reading.faults) <= MAX_FAULTS
    report = unreadable(reading.faults, source).data
    assert report["verdict"] == "CE"
    kept = json.dumps(to_json(report), ensure_ascii=False, allow_nan=False)
    assert not UNSTORABLE.search(kept)
    assert "\\u0000" not in kept
    assert len(kept) < 200_000
    assert time.process_time() - started_s < 6


def test_a_file_that_is_no_text_is_read_as_one_that_has_wrong_characters() -> None:
    for raw in (b"\xff\xfe\x00r", bytes(range(256)), b"room: {racks: \xed\xa0\x80}"):
        source = raw.decode(errors="replace")
        faults = read(groups(), source).faults
        assert faults
        json.dumps(to_json(unreadable(faults, source).data), ensure_ascii=False).encode()
