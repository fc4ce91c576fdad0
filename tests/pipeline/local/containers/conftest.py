"""An engine that is none: `fake` has its program on record, and what it was told."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipeline.local.containers.choice import choose
from pipeline.local.containers.sweeping import sweep
from pipeline.local.home import Home

PROGRAM = Path(__file__).with_name("fake_engine.py")


@dataclass
class Fake:
    """The engine's state, and the choice that names it."""

    state: Path
    document: dict[str, Any]

    def calls(self, verb: str) -> list[list[str]]:
        """Return the arguments of the calls of a verb."""
        lines = (self.state / "calls.jsonl").read_text().splitlines()
        return [call for line in lines if (call := json.loads(line))[0] == verb]

    def names(self) -> list[str]:
        """Return the containers there are."""
        return [file.stem for file in self.state.glob("bincount-*.json")]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fake]:
    state = tmp_path / "engine"
    state.mkdir()
    (state / "have").write_text("other/image:1 broken:1")
    program = tmp_path / "podman"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -S -E {PROGRAM} "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("FAKE_ENGINE", str(state))
    monkeypatch.setenv("BINCOUNT_ENGINE", str(program))
    monkeypatch.delenv("BINCOUNT_ENGINE_ARGS", raising=False)
    yield Fake(state, choose().document())
    sweep(Home(tmp_path / "home"), tmp_path)
