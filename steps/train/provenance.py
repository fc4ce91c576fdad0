"""Where a model comes from: what `model.json` says of its data, code and job."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import torch

from steps.common.split_report import read_split_report
from steps.train.hyperparameters import Hyperparameters


def code_digest() -> str:
    """Return 16 hexadecimal digits of the code that trains: this step's and what it shares."""
    digest = hashlib.sha256()
    for folder in ("train", "common"):
        for path in sorted((Path(__file__).parents[1] / folder).glob("*.py")):
            digest.update(f"{folder}/{path.name}\0".encode() + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def data_identity(split_channel: Path, digests: Mapping[str, str]) -> str:
    """Return the data's identity: as the Split step's report has it, else of the shards themselves.

    Args:
        split_channel: the `split` channel, which is optional.
        digests: of each channel's shards.
    """
    if split_channel.is_dir() and any(split_channel.rglob("split*.json")):
        return read_split_report(split_channel).data_hash
    return "shards-" + hashlib.sha256("".join(digests.values()).encode()).hexdigest()


def provenance(
    parameters: Hyperparameters, data: str, facts: Mapping[str, str], environment: Mapping[str, str] = os.environ
) -> dict[str, str]:
    """Collect what is known of a model's origin; what is not known is left out.

    Args:
        parameters: of the job.
        data: of `data_identity`.
        facts: of the run: world size, precision, best epoch, scores.
        environment: of the job; the service gives TRAINING_JOB_NAME, the image BINCOUNT_COMMIT.
    """
    known = {
        "data": data,
        "code": code_digest(),
        "commit": environment.get("BINCOUNT_COMMIT", ""),
        "job": environment.get("TRAINING_JOB_NAME", ""),
        "torch": torch.__version__,
        "hyperparameters": parameters.model_dump_json(),
        **facts,
    }
    return {name: value for name, value in known.items() if value}
