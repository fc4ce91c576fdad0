"""Definitions to look at: compiled once for all tests of a process, since the SDK takes seconds to import."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from pipeline.compile import compile_definition
from pipeline.settings import load_settings
from pipeline.validate import Fault, validate_definition

Definition = dict[str, Any]


@lru_cache
def _compiled(profile: str, overrides: str) -> str:
    return compile_definition(load_settings(profile, json.loads(overrides)))


@pytest.fixture(scope="session")
def compiled() -> Callable[..., Definition]:
    """Return a function of a profile and overrides that gives a definition of one's own to change."""
    return lambda profile="demo", **overrides: json.loads(
        _compiled(profile, json.dumps({name.replace("__", "."): value for name, value in overrides.items()}))
    )


@pytest.fixture(scope="session")
def changed() -> Callable[[Definition, str, Any], Definition]:
    """Return a function that sets what lies at a path (`Steps/0/Name`), or takes it away if the value is `...`."""

    def change(definition: Definition, path: str, value: Any) -> Definition:
        *folders, last = path.split("/")
        holder: Any = definition
        for part in folders:
            holder = holder[int(part)] if isinstance(holder, list) else holder[part]
        key = int(last) if isinstance(holder, list) else last
        if value is ...:
            del holder[key]
        else:
            holder[key] = value
        return definition

    return change


@pytest.fixture(scope="session")
def seeded(
    compiled: Callable[..., Definition], changed: Callable[[Definition, str, Any], Definition]
) -> Callable[[str, Any], list[Fault]]:
    """Return a function that sows a fault in a good definition and gives what the validation finds."""
    return lambda path, value: validate_definition(json.dumps(changed(compiled(), path, value)))
