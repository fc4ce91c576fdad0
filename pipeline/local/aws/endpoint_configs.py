"""SageMaker: endpoint configurations."""

from __future__ import annotations

from typing import Any

from pipeline.local.aws.account import Account, arn
from pipeline.local.aws.answers import Answer, Request, invalid, members, not_local, operation, public, refuse
from pipeline.local.aws.hosting_models import find_model
from pipeline.local.aws.paging import Document, ordered, page, within
from pipeline.local.aws.tags import put_tags
from pipeline.local.s3 import S3Error, split_uri
from pipeline.local.store import AlreadyExistsError

KIND = "endpoint-config"
_NOT_HERE = (
    *("AsyncInferenceConfig", "ExplainerConfig", "ShadowProductionVariants", "ExecutionRoleArn", "VpcConfig"),
    *("EnableNetworkIsolation", "MetricsConfig", "CrossRegionTrafficConfig"),
)
_NOT_IN_A_VARIANT = (
    *("ServerlessConfig", "InstancePools", "AcceleratorType", "CoreDumpConfig", "ManagedInstanceScaling"),
    *("RoutingConfig", "CapacityReservationConfig", "AcceleratorPartitionLayouts"),
)
_UNDER_WAY = ("Creating", "Updating", "RollingBack")


def find_config(account: Account, name: str) -> dict[str, Any]:
    """Return the configuration's document. Raises ValidationException."""
    found = account.store.get(KIND, name)
    if found is None:
        raise invalid(f'Could not find endpoint configuration "{arn(KIND, name)}".')
    return found


@operation("sagemaker", "CreateEndpointConfig")
def create_endpoint_config(account: Account, request: Request) -> Answer:
    """Keep a configuration of one production variant on instances."""
    refuse(request, *_NOT_HERE)
    name = request["EndpointConfigName"]
    document = {
        **{member: value for member, value in request.items() if member != "Tags"},
        "EndpointConfigArn": arn(KIND, name),
        "ProductionVariants": [_variant(account, request)],
        "CreationTime": account.now(),
    }
    _require_capture_target(request)
    try:
        account.store.create(KIND, name, document)
    except AlreadyExistsError:
        raise invalid(f'Cannot create already existing endpoint configuration "{arn(KIND, name)}".') from None
    put_tags(account, arn(KIND, name), request.get("Tags", []))
    return members(document, "EndpointConfigArn")


def _variant(account: Account, request: Request) -> dict[str, Any]:
    if len(request["ProductionVariants"]) > 1:
        raise not_local("an endpoint of several production variants")
    variant: dict[str, Any] = request["ProductionVariants"][0]
    refuse(variant, *_NOT_IN_A_VARIANT)
    if variant.get("ModelName") is None:
        raise not_local("a production variant without ModelName (inference components)")
    find_model(account, variant["ModelName"])
    if variant.get("InitialInstanceCount", 0) < 1 or variant.get("InstanceType") is None:
        raise invalid(
            f"Variant {variant['VariantName']} needs an InstanceType and an InitialInstanceCount of 1 or more"
        )
    return {"InitialVariantWeight": 1.0, **variant}


def _require_capture_target(request: Request) -> None:
    if capture := request.get("DataCaptureConfig"):
        try:
            split_uri(capture["DestinationS3Uri"])
        except S3Error as error:
            raise invalid(f"DataCaptureConfig: {error}") from None


@operation("sagemaker", "DescribeEndpointConfig")
def describe_endpoint_config(account: Account, request: Request) -> Answer:
    """Answer the configuration."""
    return public(find_config(account, request["EndpointConfigName"]))


@operation("sagemaker", "ListEndpointConfigs")
def list_endpoint_configs(account: Account, request: Request) -> Answer:
    """Answer the configurations, newest first unless asked otherwise."""
    listed = [
        document
        for document in account.store.find(KIND)
        if request.get("NameContains", "").lower() in document["EndpointConfigName"].lower()
        and within(document, request, "CreationTimeAfter", "CreationTimeBefore")
    ]
    by = {"CreationTime": "CreationTime", "Name": "EndpointConfigName"}
    in_order = ordered(listed, request, by, "Descending")
    return page(in_order, request, "EndpointConfigs", "EndpointConfigName", _summary)


def _summary(document: Document) -> Answer:
    return members(document, "EndpointConfigName", "EndpointConfigArn", "CreationTime")


@operation("sagemaker", "DeleteEndpointConfig")
def delete_endpoint_config(account: Account, request: Request) -> None:
    """Remove a configuration, unless an endpoint is on its way to or from it."""
    name = request["EndpointConfigName"]
    find_config(account, name)
    with account.store.transaction() as transaction:
        for endpoint in transaction.find("endpoint"):
            pending = (endpoint.get("_pending") or {}).get("config")
            if endpoint["EndpointStatus"] in _UNDER_WAY and name in {endpoint["EndpointConfigName"], pending}:
                raise invalid(
                    f'Cannot delete endpoint configuration "{arn(KIND, name)}": '
                    f'it is in use by in-progress endpoint "{endpoint["EndpointArn"]}".'
                )
        transaction.delete(KIND, name)
        transaction.delete("tags", arn(KIND, name))
