"""The names of everything that this function makes, and what can be read from a name.

Models and endpoint configs are named after their content: two callers that want the same thing make one thing.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from deploy.errors import RefusedError

STAGING, PRODUCTION = "staging", "production"
STAGES = (STAGING, PRODUCTION)
VARIANT = "AllTraffic"
_LONGEST = 63  # of models, configs and endpoints
_HEX = 8
_PACKAGE = re.compile(
    r"arn:aws[a-z-]*:sagemaker:(?P<region>[a-z0-9-]+):(?P<account>\d{12}):model-package/"
    r"(?P<group>[a-zA-Z0-9](?:-*[a-zA-Z0-9]){0,62})/(?P<version>[1-9]\d{0,8})"
)


@dataclass(frozen=True)
class Target:
    """A group's endpoint in one stage."""

    group: str
    stage: str

    @property
    def endpoint(self) -> str:
        """The endpoint's name."""
        return f"{self.group}-{self.stage}"

    @property
    def is_production(self) -> bool:
        """Whether this is where users are."""
        return self.stage == PRODUCTION

    def name(self, version: int, request: Mapping[str, Any]) -> str:
        """Return the name of the model or config that a request (without its name) makes. Raises RefusedError."""
        name = f"{self.endpoint}-v{version}-{digest(request)}"
        if len(name) > _LONGEST:
            raise RefusedError(f"{name} is longer than the {_LONGEST} characters of a name: shorten the group's name")
        return name

    def version_of(self, name: str) -> int | None:
        """Return the version that a model or config of this endpoint is of; None: it is not this function's."""
        found = re.fullmatch(rf"{re.escape(self.endpoint)}-v([1-9]\d*)-[0-9a-f]{{{_HEX}}}", name)
        return int(found[1]) if found else None

    def config_of_alarm(self, alarm: str) -> str | None:
        """Return the config that an alarm watches; None: it is not this function's."""
        config, _, kind = alarm.rpartition("-")
        return config if kind in {"5xx", "latency"} and self.version_of(config) is not None else None

    def tags(self, version: int, project: str) -> list[dict[str, str]]:
        """Return the tags of what serves a version."""
        tags = {"project": project, "group": self.group, "stage": self.stage, "version": str(version)}
        return [{"Key": key, "Value": value} for key, value in tags.items()]


def digest(request: Mapping[str, Any]) -> str:
    """Return 8 hexadecimal digits of the SHA-256 of a request's canonical JSON."""
    text = json.dumps(request, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:_HEX]


def alarm_names(config: str) -> tuple[str, str]:
    """Return the names of a config's alarms: on server errors, on latency."""
    return f"{config}-5xx", f"{config}-latency"


def target_of_endpoint(endpoint: str, project: str) -> Target:
    """Return whose endpoint a name is. Raises RefusedError: not one of this project's."""
    group, _, stage = endpoint.rpartition("-")
    if stage not in STAGES:
        raise RefusedError(f"endpoint {endpoint!r} is none of this function's: its name ends in no stage")
    return Target(own_group(group, project), stage)


def own_group(group: object, project: str) -> str:
    """Return a model package group's name. Raises RefusedError: none, or not of this project."""
    if not isinstance(group, str) or not re.fullmatch(rf"{re.escape(project)}(-+[a-zA-Z0-9]+)+", group):
        raise RefusedError(f"model package group {group!r} is none of this function's: they begin with {project}-")
    return group


@dataclass(frozen=True)
class PackageArn:
    """The parts of a versioned model package's ARN. The service writes the group in lower case there."""

    arn: str
    region: str
    account: str
    group: str
    version: int


def package_arn(value: object) -> PackageArn:
    """Take a model package's ARN apart. Raises RefusedError."""
    found = _PACKAGE.fullmatch(value) if isinstance(value, str) else None
    if found is None:
        raise RefusedError(f"{str(value)[:200]!r} is no ARN of a versioned model package")
    return PackageArn(found[0], found["region"], found["account"], found["group"], int(found["version"]))
