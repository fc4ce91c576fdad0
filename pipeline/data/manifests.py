"""Manifests: lists of objects that SageMaker gives to a job as if they lay under one prefix.

The form is that of an S3DataSource's ManifestFile: `[{"prefix": "s3://bucket/folder/"}, "name", ...]`, as JSON. Photos
are shared among the machines of a job and records go to all of them, so each has a manifest of its own.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from pipeline.data.abid import BUCKET, photo_key, record_key
from pipeline.data.selection import METADATA, PHOTOS

PHOTO_MANIFEST, LABEL_MANIFEST = "photos.manifest", "labels.manifest"
"""Their names below a DataUri, where Split looks for them when `split.data_type` is ManifestFile."""
_DIGITS = 16


def manifest(prefix: str, keys: Iterable[str]) -> str:
    """Return a manifest of the keys, each of which starts with the prefix, in S3's order (bytes of UTF-8)."""
    ordered = sorted(keys, key=lambda key: key.encode())
    names = [key.removeprefix(prefix) for key in ordered]
    return json.dumps([{"prefix": f"s3://{BUCKET}/{prefix}"}, *names], ensure_ascii=False, indent=0)


def manifests(ids: Iterable[str]) -> dict[str, str]:
    """Return both manifests, by name, of photos in the public bucket that go by these ids there."""
    known = list(ids)
    return {
        PHOTO_MANIFEST: manifest(f"{PHOTOS}/", map(photo_key, known)),
        LABEL_MANIFEST: manifest(f"{METADATA}/", map(record_key, known)),
    }


def digest(texts: dict[str, str]) -> str:
    """Return the name that the content gives: a step's cache looks at addresses, so no address may change its mind."""
    whole = hashlib.sha256()
    for name, text in sorted(texts.items()):
        whole.update(f"{name}\0{hashlib.sha256(text.encode()).hexdigest()}\n".encode())
    return whole.hexdigest()[:_DIGITS]
