"""What practice tells whoever listens, without knowing them."""

from __future__ import annotations

from django.dispatch import Signal

# Sent with `submission` once its verdict, or its cancelling, is committed. A listener that fails
# harms nobody, and a process that dies in between sends nothing: look into the database as well.
submission_finished = Signal()

# Sent with `submission` inside the transaction in which it loses the verdict that it had, to be
# judged again or to take another version's. What a listener writes is committed with it or not at
# all; a listener that fails stops the rejudge.
verdict_withdrawn = Signal()
