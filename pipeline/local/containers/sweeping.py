"""Containers that nobody watches any more, found by their labels.

A home notes which engines it has had containers in, so that nothing need be asked of any where it had none.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.building.engine import Engine
from pipeline.errors import UserError
from pipeline.local.containers.choice import Choice
from pipeline.local.home import Home

HOME_LABEL = "bincount.home"
BASE_LABEL = "bincount.base"
_SLACK = 60.0  # seconds for the engine beside the grace that it gives


@dataclass(frozen=True)
class Stray:
    """A container of a home; `base` is the folder that it works on."""

    engine: Engine
    id: str
    base: Path


def remember(home: Home, choice: Choice) -> None:
    """Note that the home has had a container in an engine. Raises OSError."""
    digest = hashlib.sha256(json.dumps(choice.command).encode()).hexdigest()[:16]
    file = home.root / "containers" / f"{digest}.json"
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(f".{os.getpid()}")
    new.write_text(json.dumps(choice.document()), encoding="utf-8")
    new.replace(file)


def containers(home: Home, folder: Path | None = None) -> list[Stray]:
    """Return the home's containers that work in a folder (anywhere unless given)."""
    found = [one for engine in _engines(home) for one in _of(engine, home)]
    return [one for one in found if folder is None or one.base.is_relative_to(folder)]


def sweep(home: Home, folder: Path, grace: float = 0.0) -> None:
    """Stop the home's containers that work in a folder: SIGTERM, then SIGKILL after `grace` seconds."""
    stop(containers(home, folder), grace)


def stop(strays: Sequence[Stray], grace: float) -> None:
    """Stop containers: SIGTERM, then SIGKILL after `grace` seconds."""
    for engine in dict.fromkeys(stray.engine for stray in strays):
        ids = [stray.id for stray in strays if stray.engine == engine]
        if grace:
            _stop(engine, ids, grace)
        kill(engine, ids)


def _stop(engine: Engine, ids: Sequence[str], grace: float) -> None:
    command = [*engine.command, "stop", "--time", str(max(1, round(grace))), *ids]
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):  # killed next
        subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=grace + _SLACK, check=False)


def kill(engine: Engine, names: Sequence[str]) -> None:
    """Kill and remove containers, as far as they are there."""
    engine.run("kill", "--signal=KILL", *names)
    engine.run("rm", "--force", *names)


def _engines(home: Home) -> Iterator[Engine]:
    for file in sorted((home.root / "containers").glob("*.json")):
        try:
            yield Choice.of(json.loads(file.read_text(encoding="utf-8"))).engine
        except (OSError, ValueError, LookupError, TypeError):
            continue  # it tells nothing


def _of(engine: Engine, home: Home) -> Iterator[Stray]:
    form = f'{{{{.Id}}}} {{{{index .Config.Labels "{BASE_LABEL}"}}}}'
    try:
        ids = engine.run("ps", "--all", "--quiet", "--filter", f"label={HOME_LABEL}={home.root}").stdout.split()
        lines = engine.run("container", "inspect", "--format", form, *ids).stdout.splitlines() if ids else []
    except (OSError, UserError):  # the engine is gone, and what it ran with it
        return
    for line in lines:
        id, _, base = line.partition(" ")
        yield Stray(engine, id, Path(base))
