"""What the page's scripts say to people, in the person's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

TEXTS: dict[str, str | Promise] = {
    "saved": _("Saved"),
    "saving": _("Saving…"),
    "edited": _("Not saved yet"),
    "offline": _("Offline: kept in this browser"),
    "signed_out": _("Signed out: kept in this browser. Sign in in another tab, then go on here."),
    "conflict": _("Another tab saved something else. Choose a version."),
    "not_kept": _("Not saved: {reason}"),
    "recovered": _("Brought back what this browser had kept."),
    "updated": _("Updated with what another tab or machine saved."),
    "sending": _("Sending…"),
    "send_offline": _(
        "Nobody answered, so nothing was sent. Your code is kept in this browser. "
        "Check the connection and send again."
    ),
    "send_signed_out": _(
        "You are signed out, so nothing was sent. Your code is kept in this browser. "
        "Sign in in another tab, then send again."
    ),
    "send_failed": _("The server answered {status}, so nothing was sent. Send again in a moment."),
    "queue": _("Place {place} in the queue"),
    "reconnecting": _("Connection lost. Trying again…"),
    "watch_signed_out": _("Signed out: sign in in another tab and reload to watch on."),
    "watch_gone": _("This submission cannot be watched. Reload the page."),
    "cancel_failed": _("Could not cancel: nobody answered. Try again."),
    "reset_done": _("Reset to the starter. Ctrl+Z brings your text back."),
    "verdict_loading": _("Fetching the verdict…"),
    # What the schema says of a key of problem.yaml, beside the key.
    "schema_required": _("required"),
    "schema_optional": _("optional"),
    "schema_or": _(" or "),
    "schema_type_string": _("text"),
    "schema_type_integer": _("a whole number"),
    "schema_type_number": _("a number"),
    "schema_type_boolean": _("true or false"),
    "schema_type_array": _("a list"),
    "schema_type_object": _("a mapping"),
    "schema_type_null": _("nothing"),
    "schema_minimum": _("at least {n}"),
    "schema_maximum": _("at most {n}"),
    "schema_exclusiveMinimum": _("more than {n}"),
    "schema_exclusiveMaximum": _("less than {n}"),
    "schema_minItems": _("at least {n} of them"),
    "schema_maxItems": _("at most {n} of them"),
    "schema_maxLength": _("at most {n} characters"),
    "schema_pattern": _("formed as {pattern}"),
    "schema_default": _("default {value}"),
    "trace_failed": _("The trace could not be fetched. Reload the page."),
    "trace_ready": _("{spans} spans. Click one, or press Tab and use the arrow keys."),
    "trace_span": _(
        "Span {number}: {name} · rank {rank}, {row} · {start} to {end} ms · {length} ms{details}"
    ),
    "trace_point": _("Measuring from {at} ms"),
    "trace_measured": _("{a} to {b} ms: {length} ms apart"),
    "trace_found": _("{n} found"),
    "clock_offline": _("No connection: the clock goes on by itself and asks again."),
    "interview_gone": _("This interview is no longer open to you. Reload the page."),
    "minutes_left": _("{minutes} min left"),
    "time_up": _("Time is up. What stands in the editor is being sent."),
    # The editor's own words, keyed as CodeMirror keys them.
    "$ unchanged lines": _("{n} unchanged lines"),
    "Revert this chunk": _("Take this change from the left"),
    "Find": _("Find"),
    "Replace": _("Replace with"),
    "next": _("next"),
    "previous": _("previous"),
    "all": _("all"),
    "match case": _("match case"),
    "regexp": _("regular expression"),
    "by word": _("whole words"),
    "replace": _("replace"),
    "replace all": _("replace all"),
    "close": _("close"),
    "Go to line": _("Go to line"),
    "go": _("go"),
    "Completions": _("Completions"),
    "editor": _("Code editor. Press Escape, then Tab to leave it."),
}
