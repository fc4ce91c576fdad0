"""Split, as the definition has it, on photos of a bucket that only manifests name: the jobs of two hosts, for real."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.data.manifests import LABEL_MANIFEST, PHOTO_MANIFEST, manifests
from pipeline.data.synth import synthesize
from pipeline.validate import validate_definition
from tests.public_bins import BUCKET

if TYPE_CHECKING:
    from tests.pipeline.local.conftest import Account

PHOTOS, LISTED = 60, 48
DATA = "s3://bincount-local/data/manifests/0123456789abcdef"


@pytest.fixture
def definition(compiled: Callable[..., Any]) -> dict[str, Any]:
    """Return the demo's definition, cut after Split, with manifests as its input."""
    whole: dict[str, Any] = compiled(split__data_type="ManifestFile", split__instance_count=2, split__size=32)
    return {**whole, "Steps": [step for step in whole["Steps"] if step["Name"] == "Split"]}


@pytest.fixture
def listed(account: Account, tmp_path: Path) -> list[str]:
    """Return the ids that the manifests name, of the photos that lie in the public bucket."""
    for _ in synthesize(tmp_path / "drawn", PHOTOS, seed=3, size=64):
        pass
    for path in (tmp_path / "drawn").rglob("*.*"):
        account.s3.put_file(f"s3://{BUCKET}/{path.relative_to(tmp_path / 'drawn').as_posix()}", path)
    ids = sorted(path.stem for path in (tmp_path / "drawn" / "bin-images").iterdir())[:LISTED]
    for name, text in manifests(ids).items():
        account.s3.put_bytes(f"{DATA}/{name}", text.encode())
    return ids


def test_split_reads_what_its_manifests_name(account: Account, definition: dict[str, Any], listed: list[str]) -> None:
    assert validate_definition(json.dumps(definition)) == []
    arn = account.run(definition, {"DataUri": DATA})
    assert account.statuses(arn) == {"Split": "Succeeded"}
    job = account.store.get("processing-job", account.steps(arn)["Split"]["_job"]) or {}
    report = {one["OutputName"]: one["S3Output"]["S3Uri"] for one in job["ProcessingOutputConfig"]["Outputs"]}["report"]
    found: list[list[str]] = []
    for host in ("algo-1", "algo-2"):
        rows = account.s3.read_bytes(f"{report}/assignments-{host}.csv").decode().splitlines()[1:]
        found.append([row.partition(",")[0] for row in rows])
    assert sorted(found[0] + found[1]) == listed
    assert {len(share) for share in found} == {LISTED // 2}


def test_a_manifest_that_names_what_is_gone_fails_split_in_one_line(
    account: Account, definition: dict[str, Any], listed: list[str]
) -> None:
    account.s3.delete(f"s3://{BUCKET}/bin-images/{listed[7]}.jpg")
    arn = account.run(definition, {"DataUri": DATA})
    reason = account.steps(arn)["Split"]["FailureReason"]
    assert f"the manifest names s3://{BUCKET}/bin-images/{listed[7]}.jpg, which is not there" in reason
    assert account.s3.find(f"{DATA}/{PHOTO_MANIFEST}")
    assert account.s3.find(f"{DATA}/{LABEL_MANIFEST}")
