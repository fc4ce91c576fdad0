"""The pinned and hashed requirements of the images, written anew from the extras in pyproject.toml.

    pip install uv && python -m pipeline.building.lock [--upgrade]

Without `--upgrade` a pin stays as long as the extra allows it. pip then installs nothing whose hash is another.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

from pipeline.images import ROOT

KINDS = ("processing", "training", "inference")
TORCH = "torch.txt"
"""What a training base image with PyTorch holds already: installed only where it does not."""
# Of the images' Python, for the machines that they are built for.
_COMMAND = ("uv", "pip", "compile", "--quiet", "--generate-hashes", "--no-header", "--no-annotate")
_TARGET = ("--python-version", "3.11", "--python-platform", "x86_64-manylinux_2_28")
_OF_TORCH = re.compile(r"(torch|torchvision|triton|nvidia-[\w-]+|cuda-[\w-]+)==")
_HEAD = "# Written by `python -m pipeline.building.lock` from the extra `{kind}` in pyproject.toml."


def split(text: str) -> tuple[str, str]:
    """Return a list of hashed requirements as two: what is not of PyTorch, and PyTorch with CUDA's libraries."""
    blocks = re.findall(r"^\S.*(?:\n[ \t]+.*)*", text, re.MULTILINE)
    others = [block for block in blocks if not _OF_TORCH.match(block)]
    torch = [block for block in blocks if _OF_TORCH.match(block)]
    return "".join(f"{block}\n" for block in others), "".join(f"{block}\n" for block in torch)


def main(options: list[str]) -> None:
    """Write the requirements of every image. Raises CalledProcessError where they contradict each other."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    for kind in KINDS:
        folder = ROOT / "containers" / kind
        files = [path for name in ("requirements.txt", TORCH) if (path := folder / name).is_file()]
        pins = [] if "--upgrade" in options else [line for path in files for line in _pins(path)]
        _write(folder, _locked(extras[kind], pins))


def _pins(path: Path) -> list[str]:
    return re.findall(r"^[\w-]+==[^\s\\;]+", path.read_text(encoding="utf-8"), re.MULTILINE)


def _locked(wanted: list[str], pins: list[str]) -> str:
    """Return the requirements and all that they need; uv keeps the pins of the file that it writes where it can."""
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as folder:
        out = Path(folder) / "out.txt"
        out.write_text("\n".join(pins), encoding="utf-8")
        subprocess.run(
            [*_COMMAND, *_TARGET, "--output-file", str(out), "-"], input="\n".join(wanted), text=True, check=True
        )
        return out.read_text(encoding="utf-8")


def _write(folder: Path, text: str) -> None:
    head = _HEAD.format(kind=folder.name)
    others, torch = split(text)
    (folder / "requirements.txt").write_text(f"{head}\n{others}", encoding="utf-8")
    if torch:
        (folder / TORCH).write_text(f"{head}\n{torch}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
