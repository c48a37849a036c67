"""A sandbox of our own: namespaces made once, fresh ones for each run, and imports done before."""

from sandboxes.slot.sandbox import SlotSandbox

__all__ = ["SlotSandbox"]
