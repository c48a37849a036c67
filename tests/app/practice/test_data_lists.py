"""JSON of a grader, written for people."""

from __future__ import annotations

from django.template.loader import render_to_string

from app.practice.templatetags.practice import sentence


def test_a_key_called_items_is_shown_like_any_other() -> None:
    html = render_to_string("practice/parts/data.html", {"data": {"items": 15, "right": 3}})
    assert "Items" in html
    assert "15" in html
    assert "Right" in html


def test_a_list_of_names_is_a_sentence_and_no_json() -> None:
    html = render_to_string("practice/parts/data.html", {"data": [("cases_not_run", ["a", "b"])]})
    assert "a, b" in html


def test_what_a_submission_says_is_escaped() -> None:
    html = render_to_string("practice/parts/data.html", {"data": {"<b>": "<script>"}})
    assert "<script>" not in html
    assert "<b>" not in html


def test_a_sentence_begins_with_a_capital_but_a_name_keeps_its_spelling() -> None:
    assert sentence("the sum is right") == "The sum is right"
    assert sentence("optimizer_bytes must be 3 B") == "optimizer_bytes must be 3 B"
    assert sentence("") == ""
