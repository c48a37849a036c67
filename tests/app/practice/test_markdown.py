"""Markdown of packages, safe to show."""

from __future__ import annotations

import base64

from app.practice.markdown import render

SVG = '<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def test_raw_html_stays_text() -> None:
    html = render("<script>alert(1)</script>\n\na <b onclick=x>bold</b>\n")
    assert "<script>" not in html
    assert "<b " not in html
    assert "&lt;script&gt;" in html


def test_mathematics_is_escaped_and_marked_for_the_browser() -> None:
    html = render("Since $a < b$:\n\n$$\n\\frac{1}{2}\n$$\n")
    assert '<span class="math">a &lt; b</span>' in html
    assert '<div class="math math-display">' in html
    assert "\\frac{1}{2}" in html


def test_prices_are_no_mathematics() -> None:
    assert 'class="math"' not in render("It costs $5 or $10 an hour.")


def test_a_picture_of_the_package_is_inlined_as_an_image_and_never_as_markup() -> None:
    html = render("![A ring](figure.svg)", {"figure.svg": SVG})
    encoded = base64.b64encode(SVG.encode()).decode()
    assert f'src="data:image/svg+xml;base64,{encoded}" alt="A ring"' in html
    assert "<svg" not in html


def test_a_picture_from_elsewhere_is_not_loaded() -> None:
    for address in ("https://example.org/x.png", "../secret.svg", "missing.svg", "starter.py"):
        html = render(f"![gone]({address})", {"starter.py": "x = 1"})
        assert "<img" not in html
        assert "gone" in html


def test_tables_align_by_class_and_need_no_inline_style() -> None:
    html = render("| a | b |\n| :-- | --: |\n| 1 | 2 |\n")
    assert '<td class="align-right">2</td>' in html
    assert "style=" not in html


def test_headings_leave_the_first_level_to_the_page() -> None:
    assert render("# One\n\n## Two\n") == "<h2>One</h2>\n<h3>Two</h3>\n"


def test_a_link_cannot_run_a_script() -> None:
    html = render("[x](javascript:alert(1)) [y](https://example.org/)")
    assert 'href="javascript' not in html
    assert 'href="https://example.org/" rel="noopener noreferrer"' in html
