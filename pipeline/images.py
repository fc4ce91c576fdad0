"""Container images, one a step, tagged by the content of what each holds.

A step's image holds its Dockerfile and requirements, `steps/common` and the step's own folder, on a base that the
Dockerfile names unless a setting does. So its tag changes exactly when one of these does: a step's cache outlives every
other change, in any checkout.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from pipeline.errors import UserError
from pipeline.settings import PROJECT, Settings

ROOT = Path(__file__).parents[1]

Step = Literal["split", "train", "evaluate", "inference"]

# Trials and the training job share one image: a tuning job cannot name another entry point.
IMAGE_OF: dict[Step, str] = {
    "split": "processing",
    "train": "training",
    "evaluate": "processing",
    "inference": "inference",
}
_NOT_CONTENT = {"README.md", "tests", "__pycache__"}
_HASH_DIGITS = 12


def image_uri(step: Step, settings: Settings, root: Path = ROOT) -> str:
    """Return where the step's image is pulled from: its repository in ECR and its content's tag.

    Raises:
        UserError: `root` holds no containers, so it is no checkout.
    """
    registry = f"{settings.aws.account}.dkr.ecr.{settings.aws.region}.{_domain(settings.aws.region)}"
    tag = image_tag(step, root, base=base_image(step, settings))
    return f"{registry}/{PROJECT}-{IMAGE_OF[step]}:{tag}"


def base_image(step: Step, settings: Settings) -> str | None:
    """Return the base image that the settings name for the step's image; None: the one in its Dockerfile."""
    return (settings.images.training_base if step == "train" else None) or settings.images.base


def image_tag(step: Step, root: Path = ROOT, *, base: str | None = None) -> str:
    """Return `<step>-<12 hexadecimal digits of the SHA-256 of the image's content, and of its base's name>`."""
    digest = hashlib.sha256(f"FROM {base}\n".encode() if base else b"")
    for name, path in content(step, root):
        digest.update(f"{name}\0{hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return f"{step}-{digest.hexdigest()[:_HASH_DIGITS]}"


def content(step: Step, root: Path = ROOT) -> list[tuple[str, Path]]:
    """Return the files of the step's image, as (path below root with slashes, path), in order of their names.

    Raises:
        UserError: `root` holds no containers, so it is no checkout.
    """
    folders = [f"containers/{IMAGE_OF[step]}", "steps/common"]
    if step != "inference":
        folders.append(f"steps/{step}")
    files = [path for folder in folders for path in _files(root / folder)]
    if not any(path.name == "Dockerfile" for path in files):
        raise UserError(
            f"no containers/{IMAGE_OF[step]}/Dockerfile in {root}: run this from a checkout (pip install -e .)"
        )
    named = [(path.relative_to(root).as_posix(), path) for path in [root / "steps" / "__init__.py", *files]]
    return sorted(named)


def _files(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name in _NOT_CONTENT or path.name.startswith(".") or path.name.endswith((".pyc", "~", ".egg-info")):
            continue
        if path.is_dir():
            yield from _files(path)
        else:
            yield path


def entrypoint_of(uri: str) -> list[str] | None:
    """Return the exec-form ENTRYPOINT of one of our images, or None: not ours, or it has none.

    A tuning job runs this with the argument `train`: its API has no other entry point.
    """
    repository = re.split("[:@]", uri.rsplit("/", maxsplit=1)[-1], maxsplit=1)[0]
    kind = repository.removeprefix(f"{PROJECT}-")
    dockerfile = ROOT / "containers" / kind / "Dockerfile"
    if kind == repository or kind not in IMAGE_OF.values() or not dockerfile.is_file():
        return None
    lines = re.findall(r"^ENTRYPOINT\s+(\[.*\])\s*$", dockerfile.read_text(encoding="utf-8"), re.MULTILINE)
    return [str(word) for word in json.loads(lines[-1])] if lines else None


def _domain(region: str) -> str:
    return "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
