"""Markdown of a problem package as HTML that is safe to show: raw HTML in it stays text.

Mathematics between dollars becomes ``<span class="math">`` with the TeX inside, which KaTeX
typesets in the browser. A picture of the package becomes a data URI: inside ``<img>`` an SVG runs
no script and loads nothing.
"""

from __future__ import annotations

import base64
import mimetypes
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache
from typing import Any

from django.utils.html import escape
from django.utils.safestring import SafeString
from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import OptionsDict
from mdit_py_plugins.dollarmath import dollarmath_plugin

PICTURE_TYPES = {"image/svg+xml"}  # a package's files are text


def render(text: str, files: Mapping[str, str] | None = None) -> SafeString:
    """HTML of `text`; pictures are looked up in `files`, a mapping of path to content."""
    environment: MutableMapping[str, Any] = {"files": files or {}}
    # Safe: html=False escapes raw HTML, and every rule below escapes what it puts in.
    return SafeString(_parser().render(text, environment))


@cache
def _parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark", {"html": False, "typographer": False})
    parser.enable(["table", "strikethrough"])
    parser.use(dollarmath_plugin, allow_digits=False, allow_labels=False)
    for rule in (
        _math_inline,
        _math_block,
        _image,
        _table_open,
        _table_close,
        _cell_open,
        _heading_open,
        _heading_close,
        _link_open,
    ):
        name = rule.__name__.removeprefix("_")
        for kind in ("th_open", "td_open") if name == "cell_open" else (name,):
            parser.add_render_rule(kind, rule)
    return parser


def _math_inline(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    return f'<span class="math">{escape(tokens[index].content)}</span>'


def _math_block(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    return f'<div class="math math-display">{escape(tokens[index].content)}</div>\n'


def _image(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    token = tokens[index]
    caption = self.renderInlineAsText(token.children or [], options, env)
    address = str(token.attrGet("src") or "")
    source = data_uri(address, env["files"])
    if source is None:
        return f'<span class="missing-figure">{escape(caption or address)}</span>'
    return f'<img class="figure" src="{source}" alt="{escape(caption)}">'


def data_uri(path: str, files: Mapping[str, str]) -> str | None:
    """A picture of the package as a data URI; None if the package has no such picture."""
    kind, _ = mimetypes.guess_type(path)
    content = files.get(path.removeprefix("./"))
    if content is None or kind not in PICTURE_TYPES:
        return None
    return f"data:{kind};base64,{base64.b64encode(content.encode()).decode()}"


def _table_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    # Wide tables scroll by themselves; the page does not.
    return '<div class="scroll" tabindex="0" role="region"><table>\n'


def _table_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    return "</table></div>\n"


def _cell_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    token = tokens[index]
    # The parser aligns by a style attribute, which the Content-Security-Policy forbids.
    alignment = str(token.attrGet("style") or "").removeprefix("text-align:")
    class_name = f' class="align-{alignment}"' if alignment in ("right", "center") else ""
    return f"<{token.tag}{class_name}>"


def _heading_tag(token: Token) -> str:
    # The page's own title is the h1 and the section's the h2.
    return f"h{min(6, int(token.tag[1]) + 1)}"


def _heading_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    return f"<{_heading_tag(tokens[index])}>"


def _heading_close(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    return f"</{_heading_tag(tokens[index])}>\n"


def _link_open(
    self: RendererHTML, tokens: Sequence[Token], index: int, options: OptionsDict, env: Any
) -> str:
    # The parser's own validateLink has already refused javascript: and its like.
    return f'<a href="{escape(tokens[index].attrGet("href"))}" rel="noopener noreferrer">'
