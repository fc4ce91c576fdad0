"""SageMaker: groups of model packages."""

from __future__ import annotations

from typing import Any

from pipeline.local.aws.account import Account, arn, name_of
from pipeline.local.aws.answers import Answer, Request, invalid, members, operation, public, refuse
from pipeline.local.aws.paging import Document, ordered, page, within
from pipeline.local.aws.tags import put_tags
from pipeline.local.store import AlreadyExistsError

KIND = "model-package-group"


def missing_group(name_or_arn: str) -> Exception:
    """Return the service's error for a group that does not exist (a ValidationException)."""
    return invalid(f"ModelPackageGroup {arn(KIND, name_of(name_or_arn, KIND))} does not exist.")


def find_group(account: Account, name_or_arn: str) -> dict[str, Any]:
    """Return the group's document. Raises ValidationException."""
    found = account.store.get(KIND, name_of(name_or_arn, KIND))
    if found is None:
        raise missing_group(name_or_arn)
    return found


@operation("sagemaker", "CreateModelPackageGroup")
def create_model_package_group(account: Account, request: Request) -> Answer:
    """Keep a group of versions; a second of the same name is refused."""
    refuse(request, "ManagedConfiguration")
    name = request["ModelPackageGroupName"]
    document = {
        **members(request, "ModelPackageGroupDescription"),
        "ModelPackageGroupName": name,
        "ModelPackageGroupArn": arn(KIND, name),
        "ModelPackageGroupStatus": "Completed",
        "CreationTime": account.now(),
        "CreatedBy": {},
        "_last_version": 0,
    }
    try:
        account.store.create(KIND, name, document)
    except AlreadyExistsError:
        raise invalid(f"Model Package Group already exists: {arn(KIND, name)}") from None
    put_tags(account, arn(KIND, name), request.get("Tags", []))
    return {"ModelPackageGroupArn": arn(KIND, name)}


@operation("sagemaker", "DescribeModelPackageGroup")
def describe_model_package_group(account: Account, request: Request) -> Answer:
    """Answer the group."""
    return public(find_group(account, request["ModelPackageGroupName"]))


@operation("sagemaker", "ListModelPackageGroups")
def list_model_package_groups(account: Account, request: Request) -> Answer:
    """Answer the groups, oldest first unless asked otherwise."""
    refuse(request, "CrossAccountFilterOption")
    part = request.get("NameContains", "").lower()
    listed = [
        document
        for document in account.store.find(KIND)
        if part in document["ModelPackageGroupName"].lower()
        and within(document, request, "CreationTimeAfter", "CreationTimeBefore")
    ]
    in_order = ordered(listed, request, {"CreationTime": "CreationTime", "Name": "ModelPackageGroupName"})
    return page(in_order, request, "ModelPackageGroupSummaryList", "ModelPackageGroupName", _summary)


def _summary(document: Document) -> Answer:
    return {name: value for name, value in public(document).items() if name != "CreatedBy"}
