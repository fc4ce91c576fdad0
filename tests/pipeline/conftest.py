"""Definitions to look at: compiled once for all tests of a process, since the SDK takes seconds to import."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import pytest

from pipeline.compile import compile_definition
from pipeline.settings import load_settings

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
