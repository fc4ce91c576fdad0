"""Building an image with the engine of this machine."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipeline.building.engine import Engine
from pipeline.building.images import Image, labels
from pipeline.errors import UserError
from pipeline.images import ROOT

PLATFORM = "linux/amd64"
"""Of the instances that the profiles name; an image built on an ARM laptop would not start on them."""

# SageMaker and Lambda refuse OCI manifests, and with them attestations, which only those can have.
_COMMANDS = {
    "docker": (
        *("buildx", "build", "--progress", "plain"),
        *("--provenance=false", "--sbom=false", "--output", "type=docker"),
    ),
    "podman": ("build", "--format", "docker"),
}


def build(
    image: Image,
    engine: Engine,
    logs: Path,
    tell: Callable[[str], None],
    *,
    extra: Sequence[str] = (),
    root: Path = ROOT,
) -> bool:
    """Build an image, unless the engine has it: its tag says what is in it. Layers come from the engine's own cache.

    Args:
        image: which.
        engine: where.
        logs: folder that gets `<tag>.log`, what the engine printed.
        tell: is given each line of that.
        extra: more arguments for the engine's build.
        root: the checkout.

    Returns:
        Whether it was built; a second caller waits for the first, and has nothing left to build.

    Raises:
        UserError: it could not be built; the message names the log.
        OSError: the log cannot be written.
    """
    logs.mkdir(parents=True, exist_ok=True)
    log = logs / f"{image.tag}.log"
    with _alone(log.with_suffix(".lock")):
        if engine.has(image.uri):
            return False
        with log.open("w", encoding="utf-8", buffering=1) as file:

            def note(line: str) -> None:
                file.write(f"{line}\n")
                tell(line)

            code, last = engine.stream(command(image, engine, extra, root), note)
        if code:
            reason = last[-1] if last else f"exit code {code}"
            raise UserError(f"{image} could not be built: {reason} (all of what {engine.kind} said: {log})")
        _check(image, engine)
        return True


def command(image: Image, engine: Engine, extra: Sequence[str] = (), root: Path = ROOT) -> list[str]:
    """Return the arguments that have an engine build an image from a checkout."""
    named = [f"--build-arg={name}={value}" for name, value in image.build_args]
    named += [f"--label={name}={value}" for name, value in labels(image, root).items()]
    file = str(root / image.dockerfile)
    return [
        *_COMMANDS[engine.kind],
        *(f"--platform={PLATFORM}", f"--file={file}", f"--tag={image.uri}"),
        *(*named, *extra, str(root)),
    ]


def _check(image: Image, engine: Engine) -> None:
    if not engine.has(image.uri):
        raise UserError(f"{engine.kind} built {image} and does not have it: its driver keeps images elsewhere")
    if "oci" in (found := engine.manifest_type(image.uri) or ""):
        raise UserError(f"{engine.kind} gave {image} a manifest of type {found}, which SageMaker refuses")


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
