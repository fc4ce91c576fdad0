"""What a call needs: from the calls of a component to the pairs of action and resource that its role must have.

An operation needs the action of its name, on the project's resources of its kind, unless `NEEDS` says otherwise: some
have another action's name, some ask for more than one, some for what the service does with the caller's rights.
"""

from __future__ import annotations

from collections.abc import Iterable

from tests.infra.grants import ANY, reference

# Service of the client, where the actions have another prefix.
_PREFIX = {"sagemaker-runtime": "sagemaker", "service-quotas": "servicequotas"}
# By service and kind of resource: those of this project.
RESOURCE = {
    "cloudwatch:alarm": "alarm:bincount-*",
    "application-autoscaling:ScalableTarget": "scalable-target/*",
    "cloudformation:stack": "stack/bincount/*",
    "ecr:repository": "repository/bincount-*",
    "events:rule-on-default-event-bus": "rule/bincount-*",
    "lambda:function": "function:bincount-*",
    "logs:log-group": "log-group:/aws/sagemaker/*",
    "logs:log-stream": "log-group:/aws/sagemaker/*",
    "sagemaker:endpoint": "endpoint/bincount-*",
    "sagemaker:endpoint-config": "endpoint-config/bincount-*",
    "sagemaker:hyper-parameter-tuning-job": "hyper-parameter-tuning-job/*",
    "sagemaker:model": "model/bincount-*",
    "sagemaker:model-package": "model-package/bincount-*",
    "sagemaker:model-package-group": "model-package-group/bincount-*",
    "sagemaker:pipeline": "pipeline/bincount-*",
    "sagemaker:pipeline-execution": "pipeline/bincount-*",
    "sagemaker:processing-job": "processing-job/pipelines-*",
    "sagemaker:training-job": "training-job/*",
}
_ENDPOINT, _CONFIG, _MODEL = "endpoint/bincount-*", "endpoint-config/bincount-*", "model/bincount-*"
_GROUP = "model-package-group/bincount-*"
_PACKAGE, _PACKAGES = "model-package/bincount-*", ("model-package/bincount-*", _GROUP)
_AUTOSCALED = "alarm:TargetTracking-endpoint/bincount-*"
_SERVICE_ROLE = "role/aws-service-role/sagemaker.application-autoscaling.amazonaws.com/*"
NEEDS: dict[str, tuple[str, ...]] = {
    # `{objects}` and `{listings}` are what the component's row in `PLACES` says.
    "s3:GetObject": ("s3:GetObject {read}",),
    "s3:HeadObject": ("s3:GetObject {read}",),
    "s3:ListObjectsV2": ("s3:ListBucket {listed}",),
    "s3:PutObject": ("s3:PutObject {written}",),
    # Photos, from the public bucket straight into the stack's.
    "s3:CopyObject": ("s3:GetObject aft-vbi-pds/*", "s3:PutObject {written}"),
    "sagemaker:CreateModel": (
        f"sagemaker:CreateModel {_MODEL}",
        f"sagemaker:CreateModel {_PACKAGE}",
        f"sagemaker:AddTags {_MODEL}",
        "iam:PassRole role/bincount-model",
    ),
    "sagemaker:CreateEndpointConfig": (f"sagemaker:CreateEndpointConfig {_CONFIG}", f"sagemaker:AddTags {_CONFIG}"),
    "sagemaker:CreateEndpoint": (
        f"sagemaker:CreateEndpoint {_ENDPOINT}",
        f"sagemaker:CreateEndpoint {_CONFIG}",
        f"sagemaker:AddTags {_ENDPOINT}",
    ),
    # The service reads the alarms of the roll-back with the caller's rights.
    "sagemaker:UpdateEndpoint": (
        f"sagemaker:UpdateEndpoint {_ENDPOINT}",
        f"sagemaker:UpdateEndpoint {_CONFIG}",
        "cloudwatch:DescribeAlarms alarm:*",
    ),
    "sagemaker:AddTags": ("sagemaker:AddTags {tagged}",),
    "sagemaker:ListTags": tuple(f"sagemaker:ListTags {one}" for one in (_ENDPOINT, _CONFIG, _MODEL)),
    "sagemaker:ListModelPackages": tuple(f"sagemaker:ListModelPackages {one}" for one in _PACKAGES),
    "cloudwatch:DescribeAlarms": ("cloudwatch:DescribeAlarms alarm:*",),
    "cloudwatch:ListTagsForResource": ("cloudwatch:ListTagsForResource alarm:bincount-*",),
    "cloudwatch:PutMetricAlarm": (
        "cloudwatch:PutMetricAlarm alarm:bincount-*",
        "cloudwatch:TagResource alarm:bincount-*",
    ),
    "cloudwatch:PutMetricData": ("cloudwatch:PutMetricData *",),
    # Both: the SageMaker guide, automatic scaling prerequisites.
    "application-autoscaling:RegisterScalableTarget": (
        "application-autoscaling:RegisterScalableTarget scalable-target/*",
        "application-autoscaling:TagResource scalable-target/*",
        f"sagemaker:DescribeEndpoint {_ENDPOINT}",
        f"sagemaker:DescribeEndpointConfig {_CONFIG}",
        f"sagemaker:UpdateEndpointWeightsAndCapacities {_ENDPOINT}",
        f"iam:CreateServiceLinkedRole {_SERVICE_ROLE}",
    ),
    "application-autoscaling:PutScalingPolicy": (
        "application-autoscaling:PutScalingPolicy scalable-target/*",
        f"cloudwatch:PutMetricAlarm {_AUTOSCALED}",
        f"cloudwatch:DeleteAlarms {_AUTOSCALED}",
        "cloudwatch:DescribeAlarms alarm:*",
    ),
    # Its alarms go with it, by the rights of who deletes it.
    "application-autoscaling:DeleteScalingPolicy": (
        "application-autoscaling:DeleteScalingPolicy scalable-target/*",
        f"cloudwatch:DeleteAlarms {_AUTOSCALED}",
    ),
    "lambda:Invoke": ("lambda:InvokeFunction {invoked}",),
}
Places = dict[str, tuple[str, ...]]
"""By placeholder (`read`), where in the account a component does that."""


def needs(calls: Iterable[str], places: Places) -> set[str]:
    """Return the pairs that calls need; `places` fills in what depends on the component."""
    return {filled for call in calls for need in NEEDS.get(call) or (_own(call),) for filled in _fill(need, places)}


def _fill(need: str, places: Places) -> Iterable[str]:
    action, _, resource = need.partition(" ")
    if resource == "{invoked}" and "invoked" not in places:
        places = {"invoked": (RESOURCE["lambda:function"],)}
    found = places[resource[1:-1]] if resource.startswith("{") else places.get(action, (resource,))
    return [f"{action} {one}" for one in found]


def _own(call: str) -> str:
    client, _, operation = call.partition(":")
    service = _PREFIX.get(client, client)
    about = {name.lower(): one for name, one in reference()[service]["Actions"].items()}[operation.lower()]
    kinds = [kind for kind in about.get("Resources", []) if f"{service}:{kind}" in RESOURCE]
    if about.get("Resources") and len(kinds) != 1:
        raise KeyError(f"{call} may be about {about['Resources']}: say in NEEDS which it is")
    return f"{service}:{operation} {RESOURCE[f'{service}:{kinds[0]}'] if kinds else ANY}"
