"""A container engine that is a small script: it keeps what it was told, and images as files."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

import pytest

SCRIPT = """#!{python}
import json, os, sys
from pathlib import Path

folder = Path({folder!r})
arguments = sys.argv[1:]
words = [word for word in arguments if not word.startswith("-")]
text = sys.stdin.read() if "--password-stdin" in arguments else ""
with (folder / "calls.jsonl").open("a") as file:
    print(json.dumps({{"arguments": arguments, "stdin": text}}), file=file)
plan = folder / "fails" / (words[0] if words else "none")
if plan.is_file() and (lines := plan.read_text().splitlines()):
    plan.write_text("\\n".join(lines[1:]))
    if lines[0]:
        print(lines[0], file=sys.stderr)
        sys.exit(125)
if "--version" in arguments:
    print({version!r})
elif words[0] in ("build", "buildx"):
    tag = next(word for word in arguments if word.startswith("--tag=")).removeprefix("--tag=")
    print("STEP 1/2: FROM base")
    (folder / "images" / tag.replace("/", "+")).write_text((folder / "media_type").read_text())
elif words[:2] == ["image", "inspect"]:
    image = folder / "images" / words[2].replace("/", "+")
    if not image.is_file():
        sys.exit("Error: No such image: " + words[2])
    print(json.dumps([{{"Id": "sha256:1", "ManifestType": image.read_text()}}]))
elif words[0] == "push":
    print("Copying blob sha256:2")
"""
DOCKER_V2 = "application/vnd.docker.distribution.manifest.v2+json"


class _Call(TypedDict):
    arguments: list[str]
    stdin: str


@dataclass(frozen=True)
class FakeEngine:
    """The script's folder: what it was called with, and what it is to fail at."""

    folder: Path

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of each call but the questions for its version."""
        return [call["arguments"] for call in self._calls() if call["arguments"][-1] not in {"version", "--version"}]

    @property
    def stdin(self) -> list[str]:
        """What each call was given on its standard input."""
        return [call["stdin"] for call in self._calls() if call["stdin"]]

    def called(self, verb: str) -> list[list[str]]:
        """Return the arguments of each call of a verb."""
        return [arguments for arguments in self.calls if arguments[0] == verb]

    def holds(self, uri: str, media_type: str = DOCKER_V2) -> None:
        """Have the engine hold an image."""
        (self.folder / "images" / uri.replace("/", "+")).write_text(media_type)

    def makes(self, media_type: str) -> None:
        """Have builds make manifests of a type."""
        (self.folder / "media_type").write_text(media_type)

    def fails(self, verb: str, *reasons: str) -> None:
        """Have the next calls of a verb fail with these reasons; one that is empty lets a call pass."""
        (self.folder / "fails" / verb).write_text("\n".join(reasons))

    def _calls(self) -> list[_Call]:
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


def install(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str = "podman", version: str = "podman 4.3.1"
) -> FakeEngine:
    """Make the script the only engine on PATH."""
    state = folder / f"{name}-state"
    for part in ("images", "fails"):
        (state / part).mkdir(parents=True)
    engine = FakeEngine(state)
    engine.makes(DOCKER_V2)
    programs = folder / "programs"
    programs.mkdir(exist_ok=True)
    program = programs / name
    program.write_text(SCRIPT.format(python=sys.executable, folder=str(state), version=version))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.delenv("BINCOUNT_ENGINE", raising=False)
    return engine
