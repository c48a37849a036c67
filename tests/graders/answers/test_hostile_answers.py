"""No file of answers breaks the judge: each is read, or refused in words that can be kept."""

from __future__ import annotations

import json
import time

import pytest

from graders.answers.judging import unreadable
from graders.answers.reading import UNSTORABLE
from graders.text import to_json
from tests.graders.answers.sheet import section
from tests.graders.answers.test_judging import report_of
from tests.graders.hostile import documents

DOCUMENTS = documents("held", "stages")


@pytest.mark.parametrize("what", DOCUMENTS)
def test_no_file_reaches_a_judges_error(what: str) -> None:
    source = DOCUMENTS[what]
    started_s = time.process_time()
    report = report_of(source)
    assert report["verdict"] in ("CE", "WA")
    kept = json.dumps(to_json(report), ensure_ascii=False, allow_nan=False)
    assert not UNSTORABLE.search(kept)
    assert "\\u0000" not in kept
    assert len(kept) < 200_000
    assert unreadable(section(), source, 1) is not None
    assert time.process_time() - started_s < 6
