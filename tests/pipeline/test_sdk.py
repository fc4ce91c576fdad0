"""What `pipeline.sdk` mends: each of these fails when the SDK no longer needs it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from pipeline.compile import quiet_sdk
from pipeline.settings import load_settings

KEY = "arn:aws:kms:us-east-1:000000000000:key/1"


@pytest.fixture(autouse=True)
def _quiet() -> Iterator[None]:
    with quiet_sdk("us-east-1"):
        yield


def trials(step_class: Any) -> dict[str, Any]:
    """Return the trials' definition that a class of steps makes of the same tuner."""
    from sagemaker.mlops.workflow.steps import ProcessingStep

    from pipeline.definition.common import Context
    from pipeline.definition.parameters import declare
    from pipeline.definition.processing import split_arguments
    from pipeline.definition.training import tune_arguments
    from pipeline.sdk import OfflineSession, trusted_config

    network = {"aws.subnets": "subnet-1", "aws.security_groups": "sg-1"}
    # The profile's own machines have a disk inside, which takes no key.
    settings = load_settings("prod", {"aws.volume_kms_key": KEY, "tune.instance_type": "ml.p3.2xlarge", **network})
    with trusted_config():
        context = Context(settings, declare(settings), OfflineSession("us-east-1"))
        step = step_class("Tune", tune_arguments(context, ProcessingStep("Split", split_arguments(context))))
        request: dict[str, Any] = step.arguments
    found: dict[str, Any] = request["TrainingJobDefinition"]
    return found


def test_the_sdk_s_tuning_step_still_drops_isolation_encryption_and_the_disk_s_key() -> None:
    from sagemaker.mlops.workflow.steps import TuningStep

    plain = trials(TuningStep)
    assert not {"EnableNetworkIsolation", "EnableInterContainerTrafficEncryption"} & set(plain)
    assert "VolumeKmsKeyId" not in plain["ResourceConfig"]
    # What it keeps needs no mending.
    assert plain["EnableManagedSpotTraining"] is True
    assert plain["VpcConfig"] == {"SecurityGroupIds": ["sg-1"], "Subnets": ["subnet-1"]}
    assert {"CheckpointConfig", "RetryStrategy"} <= set(plain)


def test_ours_keeps_them_and_changes_nothing_else() -> None:
    from sagemaker.mlops.workflow.steps import TuningStep

    from pipeline.sdk import IsolatedTuningStep

    ours, plain = trials(IsolatedTuningStep), trials(TuningStep)
    assert ours.pop("EnableNetworkIsolation") is True
    assert ours.pop("EnableInterContainerTrafficEncryption") is True
    assert ours["ResourceConfig"].pop("VolumeKmsKeyId") == KEY
    assert ours.keys() == plain.keys()
    assert ours["ResourceConfig"].keys() == plain["ResourceConfig"].keys()


def test_the_sdk_still_has_no_step_that_registers_from_a_request() -> None:
    import sagemaker.mlops.workflow as workflow
    from sagemaker.mlops.workflow.steps import StepTypeEnum

    assert StepTypeEnum.REGISTER_MODEL.value == "RegisterModel"
    assert not [name for name in dir(workflow) if "register" in name.lower()]


def test_a_session_refuses_to_call_anyone() -> None:
    from pipeline.sdk import OfflineSession

    session = OfflineSession("eu-west-1")
    with pytest.raises(RuntimeError, match=r"compiling is pure, yet the SDK wanted to call https://sts\."):
        session.boto_session.client("sts").get_caller_identity()


def test_the_sdk_still_checks_a_constant_configuration_again_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    from sagemaker.core.config.config_manager import SageMakerConfig
    from sagemaker.core.processing import Processor

    from pipeline.sdk import OfflineSession

    session = OfflineSession("us-east-1")
    checks: list[object] = []
    monkeypatch.setattr(SageMakerConfig, "validate_sagemaker_config", staticmethod(checks.append))
    Processor(role="arn:aws:iam::000000000000:role/r", image_uri="i", sagemaker_session=session)
    assert len(checks) > 3


def test_the_sdk_still_makes_a_client_while_it_is_imported() -> None:
    from sagemaker.ai_registry.air_hub import AIRHub

    assert AIRHub.__dict__["_sagemaker_client"] is not None  # the reason for quiet_sdk around imports
