"""The simulator ``pipeline-schedule``: orders of operations for each rank of a pipeline.

A case's input is one pipeline, or ``draw`` with how many to draw and between which bounds; both are
read in `cases`. The candidate's function gives an order for each rank. It is run on our side by
`simulate`, in whole units of time, and `checks` says what is wrong with it. `published` holds the
orders that the named schedules were published with; their time, in closed form in `pipelines`, is
the limit.
"""

from graders.simulation.pipeline.judging import judge

__all__ = ["judge"]
