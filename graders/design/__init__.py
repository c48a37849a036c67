"""The `design` grader: a structured design, judged by constraints, a cost and a rubric.

A submission is data and is never run: it is read here, against the fields that the package
declares, and the package's model, in a sandbox of its own, gets plain values. See README.md.
"""

from graders.design.fields import groups_of
from graders.design.json_schema import json_schema
from graders.design.judging import QUEUE, judge
from graders.design.nodes import Fault
from graders.design.reading import read, wanted
from graders.design.settings import faults

__all__ = ["QUEUE", "Fault", "faults", "groups_of", "json_schema", "judge", "read", "wanted"]
