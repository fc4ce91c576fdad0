"""What a fleet of servers is started from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


class DeploymentError(Exception):
    """A fleet cannot serve; the message becomes the endpoint's FailureReason."""


@dataclass(frozen=True)
class Plan:
    """One configuration made concrete. Kept with the endpoint, whose servers may outlive configuration and model.

    `model_data` is the artifact's s3:// address or None, `startup_seconds` how long a server may take to answer /ping,
    `capture` the DataCaptureConfig, `containers` the engine to run them in (a `Choice`'s document; None: as processes).
    """

    config: str
    variant: str
    image: str
    model_data: str | None
    environment: dict[str, str]
    instances: int
    weight: float
    startup_seconds: float
    capture: dict[str, Any] | None
    containers: dict[str, Any] | None = None

    def document(self) -> dict[str, Any]:
        """Return the plan as the store keeps it."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Plan:
        """Return the plan in a document, whatever else is in it."""
        return cls(**{name: document[name] for name in cls.__dataclass_fields__ if name in document})
