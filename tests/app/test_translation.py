"""The Chinese catalogue: whole, and true to its placeholders."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

CATALOGUE = "app/locale/zh_Hans/LC_MESSAGES/django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)|\{\w+\}|%d|</?\w+>")
IN_TEMPLATE = re.compile(r"""{%\s*translate\s+"([^"]+)"|{%\s*translate\s+'([^']+)'""")


@pytest.fixture(scope="module")
def catalogue(root: Path) -> list[tuple[list[str], list[str]]]:
    """For each entry its message (and plural) and its translations."""
    entries = []
    for block in (root / CATALOGUE).read_text().split("\n\n")[1:]:
        fields = re.findall(r'^(msg\w+)(?:\[\d\])? ((?:".*"\n?)+)', block, re.MULTILINE)
        texts = [(kind, "".join(ast.literal_eval(line) for line in lines.splitlines()))
                 for kind, lines in fields]  # fmt: skip
        ids = [text for kind, text in texts if kind.startswith("msgid")]
        entries.append((ids, [text for kind, text in texts if kind == "msgstr"]))
    return entries


def test_no_message_is_left_in_english(
    root: Path, catalogue: list[tuple[list[str], list[str]]]
) -> None:
    assert len(catalogue) > 250
    assert "fuzzy" not in (root / CATALOGUE).read_text()
    assert [ids for ids, translations in catalogue if not all(translations)] == []


def test_translations_keep_every_placeholder(
    catalogue: list[tuple[list[str], list[str]]],
) -> None:
    for ids, translations in catalogue:
        for translation in translations:
            assert sorted(PLACEHOLDER.findall(translation)) == sorted(
                PLACEHOLDER.findall(ids[-1])
            ), ids


def test_every_text_of_a_template_is_in_the_catalogue(
    root: Path, catalogue: list[tuple[list[str], list[str]]]
) -> None:
    known = {text for ids, _translations in catalogue for text in ids}
    for path in sorted((root / "templates").rglob("*.html")):
        for groups in IN_TEMPLATE.findall(path.read_text()):
            assert "".join(groups) in known, f"{path}: run makemessages and translate"
