"""Runs a package's own model of a design, in a sandbox that no submission's code ever enters.

Run as ``python -m graders.harness.model MODULE`` beside the package's files. `MODULE` defines
``assess(design, parameters) -> dict``; what it gives is described in ``graders/design/README.md``.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback

# One thread a process is all that the sandbox allows, and numpy reads this when it is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from graders import text
from graders.harness import wire


def main(module: str) -> None:
    """Serve one design a request until hung up on; a failure is told, never swallowed."""
    try:
        model = importlib.import_module(module)
        wire.write_answer({"ready": True})
        while (request := wire.read_request()) is not None:
            message, _ = request
            said = model.assess(message["design"], message["parameters"])
            wire.write_answer({"assessment": text.to_json(said)})
    except Exception:
        wire.write_answer({"failed": traceback.format_exc()[-8000:]})


if __name__ == "__main__":
    main(sys.argv[1])
