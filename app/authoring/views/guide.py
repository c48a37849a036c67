"""The guide for authors, which lies beside the packages, as pages of the site."""

from __future__ import annotations

import re

from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.html import strip_tags
from django.utils.safestring import SafeString
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET

from app.accounts.requests import SignedInRequest
from app.authoring.views.access import for_staff
from app.practice.markdown import render as render_markdown
from problems.package import SHIPPED

PAGES = {
    "examples": (gettext_lazy("Three problems, line by line"), "examples/README.md"),
    "format": (gettext_lazy("The format of a package"), "README.md"),
    "keys": (gettext_lazy("Every key"), "KEYS.md"),
}

_HEADING = re.compile(r"<(h[1-6])>(.*?)</\1>", re.DOTALL)


@for_staff
@require_GET
def guide(request: SignedInRequest, name: str) -> HttpResponse:
    """One page of the guide."""
    if name not in PAGES:
        raise Http404(_("The guide has no such page."))
    title, path = PAGES[name]
    html = render_markdown((SHIPPED / path).read_text(encoding="utf-8"))
    context = {
        "title": title,
        "text": SafeString(_HEADING.sub(_with_anchor, html)),
        "pages": [(key, label, key == name) for key, (label, _path) in PAGES.items()],
    }
    return render(request, "authoring/guide.html", context)


def _with_anchor(heading: re.Match[str]) -> str:
    """A heading that links such as ``#a-case`` find, as they do where the text is hosted."""
    anchor = slugify(strip_tags(heading[2]))
    return f'<{heading[1]} id="{anchor}">{heading[2]}</{heading[1]}>'
