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
