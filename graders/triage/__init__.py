"""The `triage` grader: one recorded training step, its cause, the span that proves it, what next.

The step is simulated (`graders.triage.step`) with a planted cause and decoys that the seed draws
(`graders.triage.incident`). A submission is data: YAML with a cause, a span's number and a
measurement. It is judged by the simulation too: taken away, the cause gives the time back, and what
was named instead does not.
"""

from graders.triage.authors import fill
from graders.triage.chrome import chrome_trace
from graders.triage.incident import Incident, NoIncident, draw
from graders.triage.judging import QUEUE, judge, unreadable
from graders.triage.settings import FIELDS, Settings, faults

__all__ = [
    "FIELDS",
    "QUEUE",
    "Incident",
    "NoIncident",
    "Settings",
    "chrome_trace",
    "draw",
    "faults",
    "fill",
    "judge",
    "unreadable",
]
