"""What settings are made of: their base class, and the kinds of values that several have."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Share = Annotated[float, Field(ge=0, le=1)]
# The command line gives lists as text: "subnet-1,subnet-2".
Names = Annotated[
    tuple[str, ...], BeforeValidator(lambda value: value.split(",") if isinstance(value, str) and value else value)
]
S3Uri = Annotated[str, Field(pattern=r"^s3://[^/]+(/.*)?$", max_length=1024)]
InstanceType = Annotated[str, Field(pattern=r"^ml\.[a-z0-9-]+\.[a-z0-9]+$", max_length=64)]
FunctionArn = Annotated[str, Field(pattern=r"^arn:aws[a-z-]*:lambda:[a-z0-9-]+:\d{12}:function:[\w-]+(:[\w-]+)?$")]

# As container engines take it. Not of a dash at the start: it stands among their arguments.
ImageName = Annotated[str, Field(pattern=r"^[a-zA-Z0-9][a-zA-Z0-9_./:@-]{0,254}$")]


class Strict(BaseModel):
    """A section of settings: frozen, with no member that nobody knows and no number that is none."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
