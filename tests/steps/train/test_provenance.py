from __future__ import annotations

from pathlib import Path

import pytest

from steps.common.job import JobError
from steps.train.hyperparameters import Hyperparameters, parse
from steps.train.provenance import code_digest, data_identity, provenance


def test_unknown_origins_are_left_out() -> None:
    found = provenance(Hyperparameters(), "d", {"world_size": "2"}, {"TRAINING_JOB_NAME": "job-7"})
    assert (found["job"], found["data"], found["world_size"], found["code"]) == ("job-7", "d", "2", code_digest())
    assert "commit" not in found
    assert parse({}) == Hyperparameters.model_validate_json(found["hyperparameters"])


def test_without_a_split_report_the_shards_tell(tmp_path: Path) -> None:
    one = data_identity(tmp_path / "split", {"train": "a", "validation": "b"})
    assert one.startswith("shards-")
    assert one != data_identity(tmp_path / "split", {"train": "a", "validation": "c"})


def test_a_faulty_split_report_is_no_silent_fallback(tmp_path: Path) -> None:
    (tmp_path / "split.json").write_text("{}")
    with pytest.raises(JobError, match="no report of the Split step"):
        data_identity(tmp_path, {})
