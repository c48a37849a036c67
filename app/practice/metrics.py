"""What graders measure, named for people. A key that is not here is shown as it is written."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

NAMES: dict[str, str | Promise] = {
    "bytes_ratio": _("Bytes over the ideal"),
    "bytes_sent_by_rank": _("Bytes sent by each rank"),
    "cases": _("Cases"),
    "cases_not_run": _("Cases not run"),
    "configurations": _("Configurations"),
    "dtype": _("Element type"),
    "ideal_bytes": _("Ideal bytes of a rank"),
    "ideal_time_us": _("Ideal time (µs)"),
    "items": _("Items"),
    "items_right": _("Items right"),
    "length": _("Elements"),
    "n_ranks": _("Ranks"),
    "name": _("Name"),
    "time_ratio": _("Time over the ideal"),
    "time_us": _("Time (µs)"),
    "verdict": _("Verdict"),
}
