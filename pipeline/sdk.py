"""What the SageMaker Python SDK v3 needs to compile without side effects, and the step classes that mend it.

Everything is imported from here, and this module only when a pipeline is built: the SDK takes seconds to import.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import boto3
from sagemaker.core.config.config_manager import SageMakerConfig
from sagemaker.core.helper import session_helper
from sagemaker.core.helper.pipeline_variable import RequestType
from sagemaker.core.workflow.pipeline_context import PipelineSession
from sagemaker.core.workflow.properties import Properties
from sagemaker.mlops.workflow.retry import RetryPolicy
from sagemaker.mlops.workflow.steps import ConfigurableRetryStep, StepTypeEnum, TuningStep


class OfflineSession(PipelineSession):  # type: ignore[misc]  # the SDK has no types
    """A session that compiles alone: no credentials, no defaults of the machine or the user, no telemetry, no call.

    Any call that the SDK would make nevertheless is an error instead of a wait for an answer.
    """

    def __init__(self, region: str) -> None:
        session = boto3.Session(region_name=region)
        session.events.register("before-send", _refuse)
        super().__init__(
            boto_session=session,
            # Given, so that no configuration file of the user is read.
            sagemaker_config={
                "SchemaVersion": "1.0",
                "SageMaker": {"PythonSDK": {"Modules": {"TelemetryOptOut": True}}},
            },
        )


@contextmanager
def trusted_config() -> Iterator[None]:
    """Spare the SDK from checking the constant configuration above: it does so 43 times, 4 seconds in all."""
    with (
        mock.patch.object(SageMakerConfig, "validate_sagemaker_config"),
        mock.patch.object(session_helper, "validate_sagemaker_config"),
    ):
        yield


def _refuse(request: Any, **_: object) -> None:  # noqa: ANN401
    raise RuntimeError(f"compiling is pure, yet the SDK wanted to call {request.url}")


class IsolatedTuningStep(TuningStep):  # type: ignore[misc]
    """A TuningStep whose trials keep network isolation, traffic encryption and the disk's key.

    The SDK's tuner builds the trials' definition from a ModelTrainer and leaves these three out without a word
    (sagemaker-train 1.27, train/tuner.py `_build_training_job_definition`).
    """

    @property
    def arguments(self) -> RequestType:
        """The CreateHyperParameterTuningJob request."""
        request = super().arguments
        trainer = self.step_args.func_args[0].model_trainer
        definition = request["TrainingJobDefinition"]
        definition["EnableNetworkIsolation"] = trainer.networking.enable_network_isolation
        definition["EnableInterContainerTrafficEncryption"] = (
            trainer.networking.enable_inter_container_traffic_encryption
        )
        if isinstance(trainer.compute.volume_kms_key_id, str):
            definition["ResourceConfig"]["VolumeKmsKeyId"] = trainer.compute.volume_kms_key_id
        return request


class RegisterModelStep(ConfigurableRetryStep):  # type: ignore[misc]
    """A RegisterModel step from a CreateModelPackage request.

    The SDK's own way, `ModelBuilder.register` in a ModelStep, calls S3 while compiling.
    """

    def __init__(self, name: str, request: RequestType, retry_policies: list[RetryPolicy], description: str) -> None:
        super().__init__(name, StepTypeEnum.REGISTER_MODEL, description=description, retry_policies=retry_policies)
        self._request = request
        self._properties = Properties(step_name=name, step=self, shape_name="DescribeModelPackageOutput")

    @property
    def arguments(self) -> RequestType:
        """The CreateModelPackage request."""
        return self._request

    @property
    def properties(self) -> Properties:
        """References to the registered version."""
        return self._properties
