"""Statements in LaTeX as Markdown, as far as problem statements use it."""

from __future__ import annotations

import re

_COMMENT = re.compile(r"(?<!\\)%.*")
_COMMAND = re.compile(r"\\([a-zA-Z]+)\*?")
_MATHS = re.compile(r"(\$\$.*?\$\$|\$[^$]*\$|\\\[.*?\\\]|\\\(.*?\\\))", re.DOTALL)
_SIMPLE = [
    (re.compile(r"\\problemname\{.*?\}\n?"), ""),
    (re.compile(r"\\section\*?\{(.*?)\}"), r"## \1"),
    (re.compile(r"\\subsection\*?\{(.*?)\}"), r"### \1"),
    (re.compile(r"\\(?:textbf|bf)\{(.*?)\}"), r"**\1**"),
    (re.compile(r"\\(?:emph|textit|it)\{(.*?)\}"), r"*\1*"),
    (re.compile(r"\\(?:texttt|verb\|?)\{?(.*?)[}|]"), r"`\1`"),
    (re.compile(r"\\(?:begin|end)\{(?:itemize|enumerate|center|document)\}\n?"), ""),
    (re.compile(r"[ \t]*\\item\s*"), "- "),
    (re.compile(r"``(.*?)''", re.DOTALL), r'"\1"'),
    (re.compile(r"---?"), "-"),
    (re.compile(r"(?<!\\)~"), " "),
    (re.compile(r"\\([%&#_{}$])"), r"\1"),
    (re.compile(r"\\(?:ldots|dots)\b"), "..."),
    (re.compile(r"\\\\"), "\n"),
]


def to_markdown(text: str) -> tuple[str, list[str]]:
    """The statement, and the names of the commands that are still in it.

    Maths stays as it is, between dollars, since pages set it with KaTeX.
    """
    parts = _MATHS.split(_COMMENT.sub("", text))
    left: list[str] = []
    for at, part in enumerate(parts):
        if at % 2:
            parts[at] = _dollars(part)
            continue
        for pattern, new in _SIMPLE:
            part = pattern.sub(new, part)
        left += [f"\\{name}" for name in _COMMAND.findall(part)]
        parts[at] = part
    return re.sub(r"\n{3,}", "\n\n", "".join(parts)).strip() + "\n", sorted(set(left))


def _dollars(maths: str) -> str:
    if maths.startswith("\\["):
        return f"$${maths[2:-2]}$$"
    if maths.startswith("\\("):
        return f"${maths[2:-2]}$"
    return maths
