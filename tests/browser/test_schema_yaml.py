"""YAML with a schema behind it, on a page of its own: completion, help and complaints."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from app.editor.__main__ import HERE, node_program
from app.practice.texts import TEXTS

SCHEMA = {
    "type": "object",
    "required": ["grader"],
    "properties": {
        "title": {"type": "string", "description": "The name in lists."},
        "minutes": {"type": "integer", "minimum": 5, "maximum": 240},
        "level": {"anyOf": [{"enum": ["warm-up", "hard"]}, {"type": "null"}]},
        "grader": {
            "oneOf": [{"$ref": "#/$defs/Function"}, {"$ref": "#/$defs/Simulation"}],
            "discriminator": {"propertyName": "kind"},
        },
        "cases": {"type": "array", "items": {"$ref": "#/$defs/Case"}},
        "expected": {"type": "object", "additionalProperties": {"$ref": "#/$defs/Expectation"}},
        "tags": {"type": "array", "items": {"enum": ["nccl", "rdma"]}},
    },
    "$defs": {
        "Function": {
            "type": "object",
            "properties": {"kind": {"const": "function"}, "checker": {"type": "string"}},
        },
        "Simulation": {
            "type": "object",
            "properties": {"kind": {"const": "simulation"}, "simulator": {"type": "string"}},
        },
        "Case": {
            "type": "object",
            "required": ["name"],
            "properties": {"name": {"type": "string"}, "sample": {"type": "boolean"}},
        },
        "Expectation": {
            "type": "object",
            "properties": {"verdict": {"enum": ["AC", "WA"]}, "case": {"type": "string"}},
        },
    },
}

ENTRY = """
import { EditorView } from "@codemirror/view";
import { EditorState } from "@codemirror/state";
import { keymap } from "@codemirror/view";
import { completionKeymap } from "@codemirror/autocomplete";
import { base } from "SRC/code.js";
import { schemaYaml } from "SRC/schema-yaml.js";
const schema = JSON.parse(document.getElementById("schema").textContent);
window.view = new EditorView({
  parent: document.body,
  extensions: [base("yaml"), keymap.of(completionKeymap), schemaYaml({ schema, lintUrl: "/lint" })],
});
"""


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory, bundle: None) -> str:
    folder = tmp_path_factory.mktemp("schema-yaml")
    entry = HERE / f".{folder.name}.js"  # beside node_modules, where imports are looked for
    entry.write_text(ENTRY.replace("SRC", str(HERE / "src")))
    output = folder / "page.js"
    build = (
        "require('esbuild').buildSync({entryPoints: [process.argv[1]], outfile: process.argv[2],"
        " bundle: true, format: 'iife'})"
    )
    try:
        node_program("node", "-e", build, str(entry), str(output))
    finally:
        entry.unlink()
    return output.read_text()


@pytest.fixture(scope="module")
def page(chromium: Browser, script: str) -> Iterator[Page]:
    context = chromium.new_context()
    context.set_default_timeout(3_000)
    page = context.new_page()
    texts = json.dumps({key: str(text) for key, text in TEXTS.items()})
    document = (
        '<meta charset="utf-8"><meta name="csp-nonce" content="n"><body>'
        f'<script type="application/json" id="texts">{texts}</script>'
        f'<script type="application/json" id="schema">{json.dumps(SCHEMA)}</script>'
        '<script src="/page.js"></script>'
    )

    def answer(route: Route) -> None:
        if route.request.url.endswith("/page.js"):
            route.fulfill(content_type="text/javascript", body=script)
        elif route.request.url.endswith("/lint"):
            lines = json.loads(route.request.post_data or "{}")["text"].split("\n")
            wrong = [
                {"line": n, "column": line.index("5x") + 1, "end": None, "message": f"no {line}"}
                for n, line in enumerate(lines, start=1)
                if "5x" in line
            ]
            route.fulfill(json=wrong)
        else:
            route.fulfill(content_type="text/html", body=document)

    page.route("**/*", answer)
    page.goto("http://editor.test/")
    yield page
    context.close()


def put(page: Page, text: str) -> None:
    """Write a text in which | is the cursor."""
    page.mouse.move(600, 500)  # no help lies over it
    page.keyboard.press("Escape")
    at = text.index("|")
    page.evaluate(
        """([text, at]) => { view.dispatch({changes: {from: 0, to: view.state.doc.length,
           insert: text}, selection: {anchor: at}}); view.focus(); }""",
        [text.replace("|", ""), at],
    )


def offered(page: Page, text: str) -> list[str]:
    put(page, text)
    page.keyboard.press("Control+Space")
    page.locator(".cm-tooltip-autocomplete li").first.wait_for()
    return sorted(page.locator(".cm-tooltip-autocomplete .cm-completionLabel").all_text_contents())


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("title: a\n|", ["cases", "expected", "grader", "level", "minutes", "tags"]),
        ("level: |\ntitle: a", ["hard", "warm-up"]),
        ("level: w|", ["warm-up"]),
        ("grader:\n  kind: |", ["function", "simulation"]),
        ("grader:\n  kind: simulation\n  |", ["simulator"]),
        ("grader: {kind: function, |}", ["checker"]),
        ("cases:\n  - name: a\n    |\ntitle: b", ["sample"]),
        ("cases:\n  - name: a\n  - |", ["name", "sample"]),
        ("cases:\n  - {name: a, sample: |}", ["false", "true"]),
        ("expected:\n  accepted/a.py: {verdict: |}", ["AC", "WA"]),
        ("tags: [nccl, |]", ["nccl", "rdma"]),
        ("tags:\n  - |", ["nccl", "rdma"]),
    ],
)
def test_what_fits_the_place_is_offered(page: Page, text: str, words: list[str]) -> None:
    assert offered(page, text) == words


@pytest.mark.parametrize(
    "text", ["title: |", "title: 'w|'", "title: >\n  le|\n", "# le|", "nonsense:\n  |"]
)
def test_nothing_is_offered_where_nothing_is_known(page: Page, text: str) -> None:
    put(page, text)
    page.keyboard.press("Control+Space")
    page.wait_for_function("!document.querySelector('.cm-completionIcon')")
    found = page.evaluate("document.querySelectorAll('.cm-tooltip-autocomplete li').length")
    assert found == 0


def test_a_chosen_key_is_written_with_its_colon(page: Page) -> None:
    assert offered(page, "mi|") == ["minutes"]
    page.locator(".cm-completionLabel").click()
    assert page.evaluate("view.state.doc.toString()") == "minutes: "


def test_a_key_under_the_pointer_is_explained(page: Page) -> None:
    put(page, "minutes: 30\ntitle: a|")
    page.locator(".cm-line").first.hover(position={"x": 12, "y": 8})
    help_box = page.locator(".cm-tooltip-hover .schema-help")
    expect(help_box).to_contain_text("minutes")
    expect(help_box).to_contain_text("a whole number; at least 5; at most 240")
    page.mouse.move(600, 500)
    expect(help_box).to_have_count(0)
    page.locator(".cm-line").nth(1).hover(position={"x": 12, "y": 8})
    expect(help_box).to_contain_text("The name in lists.")


def test_the_servers_complaints_stand_at_their_line_and_column(page: Page) -> None:
    put(page, "title: a\nminutes: 5x|\n")
    expect(page.locator(".cm-lintRange-error")).to_have_text("5x")
    page.locator(".cm-lintRange-error").hover()
    expect(page.locator(".cm-tooltip-lint")).to_contain_text("no minutes: 5x")
    put(page, "title: a\nminutes: 5|\n")
    expect(page.locator(".cm-lintRange-error")).to_have_count(0)
