from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipeline.local.aws.shapes import faults, inward, outward


def _shape(sagemaker: Any, operation: str) -> Any:
    return sagemaker.meta.service_model.operation_model(operation).input_shape


def test_members_of_lists_are_checked_too(sagemaker: Any) -> None:
    shape = _shape(sagemaker, "CreateModelPackageGroup")
    wrong = faults(shape, {"ModelPackageGroupName": "g", "Tags": [{"Key": "k" * 129, "Value": "v"}]})
    assert wrong == [
        "Value at 'Tags[0].Key' failed to satisfy: Member must have length or value less than or equal to 128"
    ]


def test_times_go_in_as_seconds_and_out_as_aware_datetimes(sagemaker: Any) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    shape = _shape(sagemaker, "ListPipelines")
    stored = inward(shape, {"CreatedAfter": moment, "MaxResults": 5})
    assert stored == {"CreatedAfter": moment.timestamp(), "MaxResults": 5}
    back = outward(shape, stored)["CreatedAfter"]
    assert back == moment
    assert back.tzinfo is not None
