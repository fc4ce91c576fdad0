"""Which images a definition names, and what an engine must be told to build each."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pipeline.images import IMAGE_OF, ROOT, Step, base_image, image_uri
from pipeline.settings import PROJECT, Settings

STEPS: tuple[Step, ...] = get_args(Step)
_LABEL = "org.opencontainers.image"


@dataclass(frozen=True)
class Image:
    """One image: `uri` is what the definition says, `dockerfile` lies below the checkout's root."""

    step: Step
    uri: str
    dockerfile: str
    build_args: tuple[tuple[str, str], ...]

    @property
    def registry(self) -> str:
        """The host of its registry."""
        return self.uri.partition("/")[0]

    @property
    def repository(self) -> str:
        """Its repository in the registry, as `bincount-training`."""
        return self.uri.partition("/")[2].rpartition(":")[0]

    @property
    def tag(self) -> str:
        """`<step>-<digest of its content>`."""
        return self.uri.rpartition(":")[2]

    def __str__(self) -> str:
        return f"{self.repository}:{self.tag}"


def images_of(settings: Settings, root: Path = ROOT) -> list[Image]:
    """Return the images of the settings' definition, one a step.

    Raises:
        UserError: `root` is no checkout.
    """
    return [
        Image(
            step=step,
            uri=image_uri(step, settings, root),
            dockerfile=f"containers/{IMAGE_OF[step]}/Dockerfile",
            build_args=_build_args(step, settings),
        )
        for step in STEPS
    ]


def _build_args(step: Step, settings: Settings) -> tuple[tuple[str, str], ...]:
    base = base_image(step, settings)
    shared = list(IMAGE_OF.values()).count(IMAGE_OF[step]) > 1
    return (*((("STEP", step),) if shared else ()), *((("BASE_IMAGE", base),) if base else ()))


def labels(image: Image, root: Path = ROOT) -> dict[str, str]:
    """Return what the image says of where it came from. No date: the same content is the same image.

    `revision` is the commit that it was first built at, `source` the checkout's remote; both only where git knows them.
    """
    found = {
        "title": f"{PROJECT}-{image.step}",
        "version": image.tag,
        "revision": _git(root, "describe", "--match=no-tag", "--always", "--abbrev=40", "--dirty"),
        # Whoever cloned with a token in the address keeps it.
        "source": re.sub(r"//[^/@]*@", "//", _git(root, "config", "--get", "remote.origin.url")),
    }
    return {f"{_LABEL}.{name}": text for name, text in found.items() if text}


def _git(root: Path, *arguments: str) -> str:
    try:
        found = subprocess.run(
            ["git", *arguments], cwd=root, capture_output=True, text=True, timeout=30, check=True, errors="replace"
        )
    except (OSError, subprocess.SubprocessError):  # no git, or no repository
        return ""
    return found.stdout.strip()
