"""Disassembles cubins with the nvdisasm of Triton's wheel; no candidate's Python is here.

Run as ``python -m graders.harness.kernel_disassemble`` beside files ``0.cubin``, ``1.cubin``, ...;
for each it leaves ``<number>.sass``, cut where it grows too long to read.
"""

from __future__ import annotations

import importlib.util
import subprocess
from pathlib import Path

TIME_LIMIT_S = 20.0
MOST_BYTES = 400_000


def main() -> None:
    """One after the other; a cubin that cannot be read leaves nothing."""
    spec = importlib.util.find_spec("triton")
    if spec is None or spec.origin is None:
        return
    tool = Path(spec.origin).parent / "backends" / "nvidia" / "bin" / "nvdisasm"
    for cubin in sorted(Path().glob("*.cubin")):
        said = subprocess.run(
            [str(tool), "-c", "-gi", str(cubin)],
            capture_output=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
        if said.returncode == 0:
            cubin.with_suffix(".sass").write_bytes(said.stdout[:MOST_BYTES])


if __name__ == "__main__":
    main()
