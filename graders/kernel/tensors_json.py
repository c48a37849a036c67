"""Input tensors as JSON, for the programs on the GPU."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from graders.kernel.elements import DType
from graders.kernel.inputs import Fill, Law
from graders.kernel.operations.base import Tensor


def tensors_to_json(tensors: Sequence[Tensor]) -> list[dict[str, Any]]:
    """Input tensors as JSON; `tensors_from_json` reads them."""
    return [
        {
            "name": one.name,
            "shape": list(one.shape),
            "strides": list(one.strides),
            "dtype": one.dtype.value,
            "storage_elements": one.storage_elements,
            "offset": one.offset,
            "fill": {
                "law": one.fill.law.value,
                "scale_log2": one.fill.scale_log2,
                "low": one.fill.low,
                "high": one.fill.high,
                "special": str(one.fill.special),  # JSON knows no infinity
                "special_one_in": one.fill.special_one_in,
                "special_row_one_in": one.fill.special_row_one_in,
                "row_elements": one.fill.row_elements,
            },
        }
        for one in tensors
    ]


def tensors_from_json(given: Sequence[Mapping[str, Any]]) -> tuple[Tensor, ...]:
    """The tensors that `tensors_to_json` was given."""
    return tuple(
        Tensor(
            name=one["name"],
            shape=tuple(one["shape"]),
            strides=tuple(one["strides"]),
            dtype=DType(one["dtype"]),
            storage_elements=one["storage_elements"],
            offset=one["offset"],
            fill=Fill(
                **{
                    **one["fill"],
                    "law": Law(one["fill"]["law"]),
                    "special": float(one["fill"]["special"]),
                }
            ),
        )
        for one in given
    )
