"""A package as a zip, byte for byte the files that it was read from."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

from problems.single_file import SPEC, SUFFIX, is_single_file

_LONG_AGO = (1980, 1, 1, 0, 0, 0)  # the earliest that a zip can say, so that the same files give
_MODE = 0o100644 << 16  # the same zip on any day and machine


def sources(slug: str, round_number: int, files: Mapping[str, str]) -> dict[str, str]:
    """What an author wrote, by its path below the folder that holds the rounds.

    A problem of one file is that file alone; what was read out of it is left out.
    """
    place = f"round-{round_number}/{slug}"
    if is_single_file(files):
        return {f"{place}{SUFFIX}": files[SPEC]}
    return {f"{place}/{path}": text for path, text in sorted(files.items())}


def zipped(slug: str, round_number: int, files: Mapping[str, str]) -> bytes:
    """`sources` in a zip. Unpacked beside other rounds, it is the package as it was."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in sources(slug, round_number, files).items():
            entry = zipfile.ZipInfo(path, _LONG_AGO)
            entry.external_attr = _MODE
            archive.writestr(entry, text.encode(), zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
