"""What a version is deployed with: the requests that make model, config, alarms and update. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from deploy import options
from deploy.environment import Environment
from deploy.errors import RefusedError
from deploy.names import VARIANT, Target, alarm_names
from deploy.options import Options
from deploy.packages import Package

_STARTUP_SECONDS = 180  # a container that does not answer /ping by then fails, rather than restart for half an hour
_ERROR_SHARE = 0.05  # of a minute's requests
_MOST_WAIT, _LEAST_TIME, _MOST_TIME = 3600, 600, 28_800  # seconds, limits of the service
_SLACK = 1800  # seconds for machines to come and go, on top of the waits


@dataclass(frozen=True)
class Blueprint:
    """The requests of one version in one stage."""

    target: Target
    package: Package
    options: Options
    model: dict[str, Any]
    config: dict[str, Any]

    @property
    def config_name(self) -> str:
        """The endpoint config's name, from which its content and version can be told."""
        return str(self.config["EndpointConfigName"])

    @property
    def instance_type(self) -> str:
        """What the endpoint runs on."""
        return str(self.config["ProductionVariants"][0]["InstanceType"])


def draw(environment: Environment, target: Target, package: Package) -> Blueprint:
    """Return the requests that deploy a version. Raises RefusedError: it cannot be deployed."""
    chosen = options.of(package)
    tags = target.tags(package.version, environment.project)
    model: dict[str, Any] = {
        "ExecutionRoleArn": environment.model_role,
        "PrimaryContainer": _container(target, package),
        "EnableNetworkIsolation": True,
        "Tags": tags,
    }
    model["ModelName"] = target.name(package.version, model)
    config: dict[str, Any] = {"ProductionVariants": [_variant(target, chosen, model["ModelName"])], "Tags": tags}
    if target.is_production and chosen.capture_percent > 0:
        config["DataCaptureConfig"] = _capture(environment, chosen)
    config["EndpointConfigName"] = target.name(package.version, config)
    return Blueprint(target, package, chosen, model, config)


def _container(target: Target, package: Package) -> dict[str, Any]:
    variables = {"MODEL_VERSION": package.model_version}
    if target.is_production:  # the service itself refuses a version that is not Approved
        return {"ModelPackageName": package.arn, "Environment": variables}
    image, data = package.container.get("Image"), package.container.get("ModelDataUrl")
    if not image or not data:
        raise RefusedError(f"version {package.version} names no Image and ModelDataUrl: it cannot be served")
    return {"Image": image, "ModelDataUrl": data, "Environment": variables}


def _variant(target: Target, chosen: Options, model: str) -> dict[str, Any]:
    return {
        "VariantName": VARIANT,
        "ModelName": model,
        "InstanceType": chosen.instance_type if target.is_production else chosen.staging_instance_type,
        "InitialInstanceCount": chosen.instance_count if target.is_production else 1,
        "InitialVariantWeight": 1.0,
        "ContainerStartupHealthCheckTimeoutInSeconds": _STARTUP_SECONDS,
    }


def _capture(environment: Environment, chosen: Options) -> dict[str, Any]:
    return {
        "EnableCapture": True,
        "InitialSamplingPercentage": chosen.capture_percent,
        "DestinationS3Uri": environment.capture_uri,
        "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
        "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
    }


def alarms(blueprint: Blueprint, project: str) -> list[dict[str, Any]]:
    """Return the alarms that roll an update back: on the new config's answers alone, which come once it has traffic."""
    errors, latency = alarm_names(blueprint.config_name)
    dimensions = {
        "EndpointName": blueprint.target.endpoint,
        "VariantName": VARIANT,
        "EndpointConfigName": blueprint.config_name,
    }
    common = {
        "Namespace": "AWS/SageMaker",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
        "Tags": blueprint.target.tags(blueprint.package.version, project),
    }
    microseconds = blueprint.options.latency_limit_ms * 1000.0
    return [
        {"AlarmName": errors, "MetricName": "Invocation5XXErrors", "Threshold": _ERROR_SHARE, **common},
        {"AlarmName": latency, "MetricName": "ModelLatency", "Threshold": microseconds, **common},
    ]


def guardrails(blueprint: Blueprint) -> dict[str, Any]:
    """Return the DeploymentConfig of production: blue/green, a canary where there are two instances or more.

    A canary is at most half of the new fleet, so one instance takes all traffic at once and then bakes.
    """
    bake = min(blueprint.options.bake_seconds, _MOST_WAIT)
    routing: dict[str, Any] = {"Type": "ALL_AT_ONCE", "WaitIntervalInSeconds": bake}
    if blueprint.options.instance_count > 1:
        canary = {"Type": "INSTANCE_COUNT", "Value": 1}
        routing = {"Type": "CANARY", "WaitIntervalInSeconds": bake, "CanarySize": canary}
    return {
        "BlueGreenUpdatePolicy": {
            "TrafficRoutingConfiguration": routing,
            "TerminationWaitInSeconds": 0,
            "MaximumExecutionTimeoutInSeconds": min(max(_LEAST_TIME, 2 * bake + _SLACK), _MOST_TIME),
        },
        "AutoRollbackConfiguration": {"Alarms": [{"AlarmName": n} for n in alarm_names(blueprint.config_name)]},
    }


def update(blueprint: Blueprint, *, scaled: bool) -> dict[str, Any]:
    """Return the UpdateEndpoint request. `scaled`: as many instances stay as autoscaling has."""
    request: dict[str, Any] = {
        "EndpointName": blueprint.target.endpoint,
        "EndpointConfigName": blueprint.config_name,
        "RetainAllVariantProperties": scaled,
    }
    if blueprint.target.is_production:
        request["DeploymentConfig"] = guardrails(blueprint)
    return request
