"""SageMaker: models, which are an image and model data to serve."""

from __future__ import annotations

from typing import Any

from pipeline.local.aws.account import Account, arn, name_of
from pipeline.local.aws.answers import Answer, Request, invalid, members, not_local, operation, public, refuse
from pipeline.local.aws.objects import uri_exists
from pipeline.local.aws.packages import KIND as PACKAGE
from pipeline.local.aws.paging import Document, ordered, page, within
from pipeline.local.aws.tags import put_tags
from pipeline.local.store import AlreadyExistsError

KIND = "model"
_NOT_HERE = ("ModelDataSource", "AdditionalModelDataSources", "MultiModelConfig", "InferenceSpecificationName")


def find_model(account: Account, name: str) -> dict[str, Any]:
    """Return the model's document. Raises ValidationException."""
    found = account.store.get(KIND, name)
    if found is None:
        raise invalid(f'Could not find model "{arn(KIND, name)}".')
    return found


@operation("sagemaker", "CreateModel")
def create_model(account: Account, request: Request) -> Answer:
    """Keep a model of one container, given as image and model data or as a model package."""
    refuse(request, "InferenceExecutionConfig")
    name, container = request["ModelName"], _only_container(request)
    document = {
        "EnableNetworkIsolation": False,
        **{member: value for member, value in request.items() if member != "Tags"},
        "ModelArn": arn(KIND, name),
        "CreationTime": account.now(),
        "_container": _resolved(account, container),
    }
    try:
        account.store.create(KIND, name, document)
    except AlreadyExistsError:
        raise invalid(f'Cannot create already existing model "{arn(KIND, name)}".') from None
    put_tags(account, arn(KIND, name), request.get("Tags", []))
    return members(document, "ModelArn")


def _only_container(request: Request) -> dict[str, Any]:
    containers = request.get("Containers") or []
    primary = request.get("PrimaryContainer")
    if (primary is None) == (not containers):
        raise invalid("Give either PrimaryContainer or Containers")
    if len(containers) > 1:
        raise not_local("a model of several containers")
    container: dict[str, Any] = primary if primary is not None else containers[0]
    refuse(container, *_NOT_HERE)
    if container.get("Mode") == "MultiModel":
        refuse(container, "Mode")
    if (container.get("Image") is None) == (container.get("ModelPackageName") is None):
        raise invalid("A container has either an Image or a ModelPackageName")
    if container.get("ModelPackageName") and container.get("ModelDataUrl"):
        raise invalid("A container of a ModelPackageName has no ModelDataUrl of its own")
    return container


def _resolved(account: Account, container: dict[str, Any]) -> dict[str, Any]:
    """Return the image, model data and environment to serve, those of a package merged with the container's own."""
    if package_name := container.get("ModelPackageName"):
        packaged = _deployable(account, package_name)
        refuse(packaged, *_NOT_HERE)
        container = {
            **packaged,
            "Environment": {**packaged.get("Environment", {}), **container.get("Environment", {})},
        }
    uri = container.get("ModelDataUrl")
    if uri is not None and not uri_exists(account, uri):
        raise invalid(f"Could not find model data at {uri}.")
    return {"Image": container["Image"], "ModelDataUrl": uri, "Environment": container.get("Environment", {})}


def _deployable(account: Account, package_name: str) -> dict[str, Any]:
    """Return a package's container. Raises ValidationException unless it may be deployed by name."""
    package_arn = arn(PACKAGE, name_of(package_name, PACKAGE))
    package = account.store.get(PACKAGE, package_arn)
    if package is None:
        raise invalid(f"ModelPackage {package_arn} does not exist.")
    approval = package.get("ModelApprovalStatus", "Approved")
    if "ModelPackageVersion" in package and approval != "Approved":
        raise invalid(
            f"Model package {package_arn} is {approval}: only an Approved version can be deployed by its name"
        )
    containers: list[dict[str, Any]] = package.get("InferenceSpecification", {}).get("Containers", [])
    if not containers:
        raise invalid(f"ModelPackage {package_arn} has no InferenceSpecification to deploy.")
    if len(containers) > 1:
        raise not_local("a model package of several containers")
    return containers[0]


@operation("sagemaker", "DescribeModel")
def describe_model(account: Account, request: Request) -> Answer:
    """Answer the model."""
    return public(find_model(account, request["ModelName"]))


@operation("sagemaker", "ListModels")
def list_models(account: Account, request: Request) -> Answer:
    """Answer the models, newest first unless asked otherwise."""
    listed = [
        document
        for document in account.store.find(KIND)
        if request.get("NameContains", "").lower() in document["ModelName"].lower()
        and within(document, request, "CreationTimeAfter", "CreationTimeBefore")
    ]
    by = {"CreationTime": "CreationTime", "Name": "ModelName"}
    return page(ordered(listed, request, by, "Descending"), request, "Models", "ModelName", _summary)


def _summary(document: Document) -> Answer:
    return members(document, "ModelName", "ModelArn", "CreationTime")


@operation("sagemaker", "DeleteModel")
def delete_model(account: Account, request: Request) -> None:
    """Remove a model, also one that a configuration names: as on the service, that can then not be deployed again."""
    find_model(account, request["ModelName"])
    account.store.delete(KIND, request["ModelName"])
    account.store.delete("tags", arn(KIND, request["ModelName"]))
