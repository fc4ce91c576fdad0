"""SageMaker: model packages, which are the versions in the registry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from pipeline.local.aws.account import Account, arn, name_of
from pipeline.local.aws.answers import Answer, Request, ServiceError, invalid, members, operation, public, refuse
from pipeline.local.aws.bus import emit
from pipeline.local.aws.groups import KIND as GROUP
from pipeline.local.aws.groups import find_group, missing_group
from pipeline.local.aws.paging import Document, ordered, page, within
from pipeline.local.aws.tags import put_tags
from pipeline.local.store import Transaction

KIND = "model-package"
_MOST_METADATA = 50
_NOT_KEPT = ("ClientToken", "Tags", "ModelPackageName", "ModelPackageGroupName")
# What the event of a version tells of it, besides its times.
_TOLD = (
    *("ModelPackageGroupName", "ModelPackageVersion", "ModelPackageArn", "ModelPackageStatus", "ModelApprovalStatus"),
    *("ModelPackageStatusDetails", "InferenceSpecification", "MetadataProperties", "ModelMetrics", "ModelLifeCycle"),
)


@operation("sagemaker", "CreateModelPackage")
def create_model_package(account: Account, request: Request) -> Answer:
    """Keep a package: the next version of its group, or one by its own name. The same ClientToken twice keeps one."""
    refuse(request, "ValidationSpecification", "SourceAlgorithmSpecification", "ManagedStorageType")
    name, group = request.get("ModelPackageName"), request.get("ModelPackageGroupName")
    if (name is None) == (group is None):
        raise invalid("Give either ModelPackageName or ModelPackageGroupName")
    if group is not None and request.get("Tags"):
        raise invalid("Tags are not supported for a versioned model package: tag its group")
    _require_artifacts(account, request)
    document = _new_package(account, request)
    with account.store.transaction() as transaction:
        for other in transaction.find(KIND, name_of(group or "", GROUP)):
            if other.get("_token") == request["ClientToken"]:
                return members(other, "ModelPackageArn")
        document |= _identity(transaction, name, group)
        if transaction.get(KIND, document["ModelPackageArn"]) is not None:
            raise ServiceError("ConflictException", f"Model package {name} already exists")
        transaction.create(KIND, document["ModelPackageArn"], document, document.get("ModelPackageGroupName", ""))
    put_tags(account, document["ModelPackageArn"], request.get("Tags", []))
    _announce(account, document)
    return members(document, "ModelPackageArn")


def _announce(account: Account, package: Document, **more: Any) -> None:  # noqa: ANN401
    """Send the event of a version that was created or changed; a package in no group has none."""
    if "ModelPackageVersion" not in package:
        return
    times = {name: _iso(package[name]) for name in ("CreationTime", "LastModifiedTime") if package.get(name)}
    detail = {**members(package, *_TOLD), **times, **more}
    emit(account, "SageMaker Model Package State Change", detail, [package["ModelPackageArn"]])


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _new_package(account: Account, request: Request) -> dict[str, Any]:
    default_approval = {} if request.get("ModelPackageName") else {"ModelApprovalStatus": "PendingManualApproval"}
    return {
        **default_approval,
        **{name: value for name, value in request.items() if name not in _NOT_KEPT},
        "ModelPackageStatus": "Completed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [], "ImageScanStatuses": []},
        "CreationTime": account.now(),
        "_token": request["ClientToken"],
    }


def _identity(transaction: Transaction, name: str | None, group: str | None) -> Answer:
    if group is None:
        return {"ModelPackageName": name, "ModelPackageArn": arn(KIND, str(name))}
    found = transaction.get(GROUP, name_of(group, GROUP))
    if found is None:
        raise missing_group(group)
    # Counted in the group, since the number of a deleted version is not given again.
    group, version = found["ModelPackageGroupName"], found["_last_version"] + 1
    transaction.update(GROUP, group, _last_version=version)
    return {
        "ModelPackageName": group,
        "ModelPackageGroupName": group,
        "ModelPackageVersion": version,
        "ModelPackageArn": arn(KIND, f"{group}/{version}"),
    }


def _require_artifacts(account: Account, request: Request) -> None:
    from pipeline.local.aws.objects import uri_exists

    for container in request.get("InferenceSpecification", {}).get("Containers", []):
        uri = container.get("ModelDataUrl")
        if uri is not None and not uri_exists(account, uri):
            raise invalid(f"Could not find model data at {uri}.")


def _find(account: Account, name_or_arn: str) -> dict[str, Any]:
    found = account.store.get(KIND, arn(KIND, name_of(name_or_arn, KIND)))
    if found is None:
        raise invalid(f"ModelPackage {arn(KIND, name_of(name_or_arn, KIND))} does not exist.")
    return found


@operation("sagemaker", "DescribeModelPackage")
def describe_model_package(account: Account, request: Request) -> Answer:
    """Answer the package by its name or ARN."""
    found = public(_find(account, request["ModelPackageName"]))
    if request.get("IncludedData") == "MetadataOnly":
        found.pop("ModelCard", None)
    return found


@operation("sagemaker", "ListModelPackages")
def list_model_packages(account: Account, request: Request) -> Answer:
    """Answer packages, those of a group or, without one, the unversioned; oldest first unless asked otherwise."""
    group = request.get("ModelPackageGroupName")
    parent = None if group is None else find_group(account, group)["ModelPackageGroupName"]
    listed = [document for document in account.store.find(KIND, parent) if _is_asked(document, request)]
    in_order = ordered(listed, request, {"CreationTime": "CreationTime", "Name": "ModelPackageName"})
    return page(in_order, request, "ModelPackageSummaryList", "ModelPackageArn", _summary)


def _is_asked(document: Document, request: Request) -> bool:
    default = "Versioned" if "ModelPackageGroupName" in request else "Unversioned"
    kind = request.get("ModelPackageType", default)
    versioned = "Versioned" if "ModelPackageVersion" in document else "Unversioned"
    return (
        kind in {"Both", versioned}
        and request.get("NameContains", "").lower() in document["ModelPackageName"].lower()
        and request.get("ModelApprovalStatus") in {None, document.get("ModelApprovalStatus")}
        and within(document, request, "CreationTimeAfter", "CreationTimeBefore")
    )


def _summary(document: Document) -> Answer:
    shown = ("ModelPackageArn", "ModelPackageGroupName", "ModelPackageVersion", "ModelPackageName", "CreationTime")
    more = ("ModelPackageDescription", "ModelPackageStatus", "ModelApprovalStatus", "ModelLifeCycle")
    return members(document, *shown, *more, "ModelPackageRegistrationType")


@operation("sagemaker", "UpdateModelPackage")
def update_model_package(account: Account, request: Request) -> Answer:
    """Change what the request names and nothing else; metadata is merged, then keys are removed."""
    package_arn = request["ModelPackageArn"]
    _find(account, package_arn)
    changes = members(request, "ModelApprovalStatus", "ApprovalDescription", "InferenceSpecification", "SourceUri")
    changes |= members(request, "ModelCard", "ModelLifeCycle", "ModelPackageRegistrationType")
    with account.store.transaction() as transaction:
        found = transaction.get(KIND, package_arn) or {}
        metadata = (found.get("CustomerMetadataProperties") or {}) | request.get("CustomerMetadataProperties", {})
        for key in request.get("CustomerMetadataPropertiesToRemove", []):
            metadata.pop(key, None)
        if len(metadata) > _MOST_METADATA:
            raise invalid(f"CustomerMetadataProperties has at most {_MOST_METADATA} entries")
        added = request.get("AdditionalInferenceSpecificationsToAdd", [])
        more = (found.get("AdditionalInferenceSpecifications") or []) + added
        changes |= {"CustomerMetadataProperties": metadata or None, "AdditionalInferenceSpecifications": more or None}
        changed = [name for name, value in changes.items() if found.get(name) != value]
        package = transaction.update(KIND, package_arn, **changes, LastModifiedTime=account.now())
    if changed:
        _announce(account, package, UpdatedModelPackageFields=changed)
    return {"ModelPackageArn": package_arn}


@operation("sagemaker", "DeleteModelPackage")
def delete_model_package(account: Account, request: Request) -> None:
    """Remove a package; its version number is not given again."""
    found = _find(account, request["ModelPackageName"])
    account.store.delete(KIND, found["ModelPackageArn"])
