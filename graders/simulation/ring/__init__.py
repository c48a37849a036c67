"""The simulator ``ring-collective``: an all-reduce over a simulated ring, one program a rank."""

from graders.simulation.ring.judging import judge

__all__ = ["judge"]
