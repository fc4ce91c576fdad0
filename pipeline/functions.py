"""The functions' packages: the same bytes, and so the same digest, from any checkout of the same content.

Lambda says what code a function has by the SHA-256 of its zip. A zip that keeps times, or is compressed by whatever
zlib there is, would differ from one machine to the next, and every run would update functions that did not change.
"""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from pathlib import Path

from pipeline.errors import UserError

ROOT = Path(__file__).parents[1]
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip can hold
_UNIX, _READABLE = 3, 0o100644


def names(root: Path = ROOT) -> list[str]:
    """Return the functions that the checkout `root` has, in order: the folders of `lambda/` with a handler."""
    return sorted(path.parent.name for path in (root / "lambda").glob("*/handler.py"))


def package(name: str, root: Path = ROOT) -> bytes:
    """Return a function's zip: its Python modules below a folder of its name, where its handler is looked for.

    Args:
        name: the folder in `lambda/`, as `deploy`.
        root: the checkout.

    Raises:
        UserError: there is no such folder, so `root` is no checkout.
    """
    folder = root / "lambda" / name
    if not (folder / "handler.py").is_file():
        raise UserError(f"no lambda/{name}/handler.py in {root}: run this from a checkout (pip install -e .)")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for path in sorted(folder.rglob("*.py"), key=lambda one: one.relative_to(folder).as_posix()):
            archive.writestr(_entry(f"{name}/{path.relative_to(folder).as_posix()}"), path.read_bytes())
    return buffer.getvalue()


def code_digest(zip_bytes: bytes) -> str:
    """Return what Lambda gives as CodeSha256 of a zip: its SHA-256, in base 64."""
    return base64.b64encode(hashlib.sha256(zip_bytes).digest()).decode()


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, _EPOCH)
    entry.create_system = _UNIX
    entry.external_attr = _READABLE << 16  # Lambda runs as another user than the one who zipped
    return entry
