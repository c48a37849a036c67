"""The Chinese catalogue: whole, and true to its placeholders."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.core.management import call_command

CATALOGUE = "app/locale/zh_Hans/LC_MESSAGES/django.po"
PLACEHOLDER = re.compile(r"%\(\w+\)|\{\w+(?:!r)?(?::[^{}]*)?\}|%d|</?\w+>")
Entries = list[tuple[list[str], list[str]]]


def entries_of(path: Path) -> Entries:
    """For each entry of a catalogue its message (and plural) and its translations."""
    entries = []
    for block in path.read_text().split("\n\n")[1:]:
        fields = re.findall(r'^(msg\w+)(?:\[\d\])? ((?:".*"\n?)+)', block, re.MULTILINE)
        texts = [(kind, "".join(ast.literal_eval(line) for line in lines.splitlines()))
                 for kind, lines in fields]  # fmt: skip
        ids = [text for kind, text in texts if kind.startswith("msgid")]
        entries.append((ids, [text for kind, text in texts if kind == "msgstr"]))
    return entries


@pytest.fixture(scope="module")
def catalogue(root: Path) -> Entries:
    return entries_of(root / CATALOGUE)


def test_no_message_is_left_in_english(root: Path, catalogue: Entries) -> None:
    assert len(catalogue) > 250
    assert "fuzzy" not in (root / CATALOGUE).read_text()
    assert [ids for ids, translations in catalogue if not all(translations)] == []


def test_translations_keep_every_placeholder(
    catalogue: Entries,
) -> None:
    for ids, translations in catalogue:
        for translation in translations:
            assert sorted(PLACEHOLDER.findall(translation)) == sorted(
                PLACEHOLDER.findall(ids[-1])
            ), ids


@pytest.mark.parametrize(
    ("where", "text"),
    [
        ("", ""),
        ("graders/new.py", 'from graders.text import say\nsay("a new {thing}", thing="b")\n'),
        ("graders/new.py", 'say_n("{count} new thing", "{count} new things", count=2)\n'),
        ("templates/new.html", "{% load i18n %}{% translate 'A new text' %}"),
    ],
)
def test_every_text_of_the_site_and_of_graders_is_in_the_catalogue(
    root: Path,
    catalogue: Entries,
    tmp_path: Path,
    settings: LazySettings,
    where: str,
    text: str,
) -> None:
    for folder in ("app", "graders", "templates"):
        leave_out = shutil.ignore_patterns("static", "__pycache__", "node_modules", "*.mo")
        shutil.copytree(root / folder, tmp_path / folder, ignore=leave_out)
    if where:
        (tmp_path / where).write_text(text)
    settings.BASE_DIR, settings.LOCALE_PATHS = tmp_path, [tmp_path / "app" / "locale"]
    call_command("makemessages", verbosity=0)
    found = {tuple(ids) for ids, _ in entries_of(tmp_path / CATALOGUE)}
    known = {tuple(ids) for ids, _ in catalogue}
    new = found - known
    assert len(new) == bool(where), f"run manage.py makemessages and translate {new}"
    assert known <= found, "run manage.py makemessages: nobody says this any more"


def test_makemessages_changes_nothing_but_what_changed(
    root: Path, tmp_path: Path, settings: LazySettings
) -> None:
    before = (root / CATALOGUE).read_text()
    for folder in ("app", "graders", "templates"):
        leave_out = shutil.ignore_patterns("static", "__pycache__", "node_modules", "*.mo")
        shutil.copytree(root / folder, tmp_path / folder, ignore=leave_out)
    settings.BASE_DIR, settings.LOCALE_PATHS = tmp_path, [tmp_path / "app" / "locale"]
    call_command("makemessages", verbosity=0)
    assert (tmp_path / CATALOGUE).read_text() == before
