"""Answers are read as text, whole and bounded, whatever somebody sends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from graders.answers import Answers, Unreadable, read, written
from graders.answers.quantities import Misread, read_quantity
from graders.answers.worksheet import units

NAMES = st.from_regex(r"[a-z][a-z0-9_]{0,10}", fullmatch=True)
SLUGS = st.from_regex(r"[a-z][a-z0-9]{0,5}(-[a-z0-9]{1,5})?", fullmatch=True)
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=20).map(
    str.strip
)


@pytest.mark.parametrize("text", ["1 500 GB", "1.500,0 GB", "1_500 GB"])
def test_digits_after_the_number_are_not_taken_for_a_unit(text: str) -> None:
    read_as = read_quantity(text, units.unit("GB"))
    assert isinstance(read_as, Misread)
    assert "must be written without spaces in it" in read_as.message
    assert text in read_as.message


def test_a_bare_number_is_refused_with_the_units_that_would_do() -> None:
    read_as = read_quantity("1500", units.unit("GB"))
    assert isinstance(read_as, Misread)
    assert "1500 has none. Write one of kB, MB, GB, TB, KiB, MiB, GiB, TiB" in read_as.message


def test_a_word_stays_the_word_that_was_written() -> None:
    source = "tp: 8\nflag: yes\nnone: null\nempty:\nquoted: 'no'\nlist: [1, on]\nt: {r: {c: 010}}\n"
    assert read(source) == {
        "tp": "8", "flag": "yes", "none": "", "empty": "", "quoted": "no",
        "list": ["1", "on"], "t": {"r": {"c": "010"}},
    }  # fmt: skip


@given(
    st.dictionaries(
        NAMES,
        st.one_of(
            TEXTS,
            st.lists(TEXTS, max_size=3),
            st.dictionaries(
                SLUGS, st.dictionaries(NAMES, TEXTS, max_size=2), min_size=1, max_size=3
            ),
        ),
        max_size=5,
    )
)
def test_what_is_written_is_read_again(answers: Answers) -> None:
    assert read(written(answers)) == answers


@pytest.mark.parametrize("source", ["", "# nothing\n", "null"])
def test_nothing_is_no_answers(source: str) -> None:
    assert read(source) == {}


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("weights = 15 GB", "must be a mapping"),
        ("- 15 GB", "must be a mapping"),
        ("a: {b: 1", "must be YAML"),
        ("a: &x 1\nb: *x", "Aliases, anchors and tags are not used here, line 1"),
        ("a: !!python/object:os.system 1", "Aliases, anchors and tags"),
        ("a: 1\na: 2", "A field is answered once"),
        ("[a]: 1", "A field is answered once"),
        ("a: 1\n---\nb: 2", "must be one document"),
        ("a: {b: {c: {d: 1}}}", "few and flat"),
        ("a: " + "[" * 2000, "few and flat"),
        ("a: [" + "1," * 2000 + "]", "few and flat"),
        ("a: [[1]]", "An answer is a text"),
        ("a: {b: 1}", "An answer is a text"),
        ("a: " + "1" * 70000, "must be short"),
        ("a: \x00", "must be YAML"),
    ],
)
def test_what_holds_no_answers_is_refused_in_words(source: str, told: str) -> None:
    with pytest.raises(Unreadable, match=told):
        read(source)
