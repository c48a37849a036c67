"""Pictures of a design: data that a package's model gives -> what a template draws.

Each module has one kind, as ``layout(data) -> dict``. It checks the data, which came out of a
sandbox (texts by `graders.text.from_sandbox`), and does all arithmetic, so that the template places
what it is given. A layout raises ValueError (KeyError or TypeError will do) where the data is not
what it should be.
"""

from __future__ import annotations

from collections.abc import Callable

from graders.design.pictures import bars, cluster, pareto, placement
from graders.verdict import JsonObject

LAYOUTS: dict[str, Callable[[JsonObject], JsonObject]] = {
    "bars": bars.layout,
    "cluster": cluster.layout,
    "pareto": pareto.layout,
    "placement": placement.layout,
}
