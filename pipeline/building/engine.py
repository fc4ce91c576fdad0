"""The container engine of this machine: Docker or Podman, whichever works."""

from __future__ import annotations

import json
import os
import subprocess
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pipeline.errors import UserError

VARIABLE = "BINCOUNT_ENGINE"
_PATIENCE = 30.0  # seconds for a question to the engine: a daemon that starts takes some
_LAST_LINES = 20


@dataclass(frozen=True)
class Engine:
    """An engine that answered. `command` starts its program: `podman`, or `podman --runtime runc`."""

    kind: Literal["docker", "podman"]
    command: tuple[str, ...]

    def run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a short command of the engine's with `text` as its standard input. Raises UserError if it hangs."""
        try:
            return subprocess.run(
                [*self.command, *arguments],
                input=text,
                stdin=subprocess.DEVNULL if text is None else None,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=_PATIENCE,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise UserError(f"{self.command[0]} does not answer: is it still starting?") from None

    def stream(self, arguments: Sequence[str], tell: Callable[[str], None]) -> tuple[int, list[str]]:
        """Run a long command, tell each line that it prints, and return its exit code and its last lines."""
        last: deque[str] = deque(maxlen=_LAST_LINES)
        process = subprocess.Popen(
            [*self.command, *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        try:
            for line in process.stdout:
                last.append(line.rstrip())
                tell(last[-1])
            return process.wait(), [line for line in last if line]
        finally:
            _end(process)

    def inspect(self, uri: str) -> dict[str, Any] | None:
        """Return what the engine knows of an image that it has, or None."""
        answer = self.run("image", "inspect", uri)
        if answer.returncode:
            return None
        found: list[dict[str, Any]] = json.loads(answer.stdout)
        return found[0]

    def has(self, uri: str) -> bool:
        """Say whether the engine has the image, under this very name."""
        return self.inspect(uri) is not None

    def manifest_type(self, uri: str) -> str | None:
        """Return the media type of an image's manifest; None where the engine makes one only when it pushes."""
        found = self.inspect(uri) or {}
        media_type = found.get("ManifestType") or (found.get("Descriptor") or {}).get("mediaType")
        return str(media_type) if media_type else None


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:  # Ctrl-C: the engine got it too, and tidies up
        process.terminate()
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    if process.stdout is not None:
        process.stdout.close()


def find(wanted: str | None = None) -> Engine:
    """Return the engine that is wanted, or that `BINCOUNT_ENGINE` names, or the first of Docker and Podman that works.

    Args:
        wanted: its program, with options for every call if it needs some: `podman --runtime runc`.

    Raises:
        UserError: there is none, or it does not work.
    """
    named = (wanted or os.environ.get(VARIABLE) or "").split()
    commands = [tuple(named)] if named else [("docker",), ("podman",)]
    faults = []
    for command in commands:
        answer = _ask(command)
        if isinstance(answer, Engine):
            return answer
        if answer or named:
            faults.append(f"{' '.join(command)} does not work: {answer or 'there is no such program'}")
    if faults:
        raise UserError("; ".join(faults))
    raise UserError(f"there is no container engine: install Docker or Podman, or name its program in {VARIABLE}")


def _ask(command: tuple[str, ...]) -> Engine | str:
    """Return the engine, or why it does not work; nothing where there is no such program."""
    try:
        # Podman may be installed under Docker's name: it says what it is.
        named = Engine("docker", command).run("--version")
        engine = Engine("podman" if "podman" in named.stdout.lower() else "docker", command)
        answer = engine.run("version")  # Docker's asks its daemon
    except OSError:
        return ""
    if answer.returncode:
        return (answer.stderr.strip() or answer.stdout.strip() or f"exit code {answer.returncode}").splitlines()[-1]
    return engine
