"""What every model of problem.yaml is made of: strictness, text, slugs, errors with places."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, TypeAlias

from pydantic import BaseModel, ConfigDict, StringConstraints
from pydantic_core import PydanticCustomError

Location: TypeAlias = "tuple[str | int, ...]"  # keys and indices, one inside the other

CONTRADICTION = "contradiction"  # the type of an error that `contradiction` made


def contradiction(found: Iterable[tuple[Location, str]]) -> PydanticCustomError:
    """An error about several places at once; its context's ``found`` lists (location, message).

    The locations start at the value that the validator was given.
    """
    places = list(found)
    message = "; ".join(message for _, message in places)
    return PydanticCustomError(CONTRADICTION, message, {"found": places})


class Strict(BaseModel):
    """Unknown keys are errors, and no value is bent into another type.

    The text below a field is what editors show beside the key, and what problems/KEYS.md says.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, use_attribute_docstrings=True
    )


Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=60)]
