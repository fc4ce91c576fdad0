"""SageMaker: tags."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipeline.local.aws.account import Account, arn, name_of
from pipeline.local.aws.answers import Answer, Request, invalid, operation
from pipeline.local.aws.paging import page

_MOST = 50
# What has tags: the ARN's kind, and the kind of its document where the store calls it otherwise.
_KINDS = {"hyper-parameter-tuning-job": "tuning-job"}


def put_tags(account: Account, resource_arn: str, tags: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Add tags to what a resource has, a new value replacing an old one, and return them all."""
    if not tags:
        return read_tags(account, resource_arn)
    with account.store.transaction() as transaction:
        found = transaction.get("tags", resource_arn)
        merged = {tag["Key"]: tag["Value"] for tag in [*(found or {}).get("Tags", []), *tags]}
        if len(merged) > _MOST:
            raise invalid(f"A resource has at most {_MOST} tags")
        listed = [{"Key": key, "Value": value} for key, value in merged.items()]
        if found is None:
            transaction.create("tags", resource_arn, {"Tags": listed})
        else:
            transaction.update("tags", resource_arn, Tags=listed)
    return listed


def read_tags(account: Account, resource_arn: str) -> list[dict[str, str]]:
    """Return the tags of a resource."""
    return list((account.store.get("tags", resource_arn) or {}).get("Tags", []))


@operation("sagemaker", "AddTags")
def add_tags(account: Account, request: Request) -> Answer:
    """Add tags to a resource that exists."""
    _require(account, request["ResourceArn"])
    return {"Tags": put_tags(account, request["ResourceArn"], request["Tags"])}


@operation("sagemaker", "ListTags")
def list_tags(account: Account, request: Request) -> Answer:
    """Answer the tags of a resource that exists."""
    _require(account, request["ResourceArn"])
    return page(read_tags(account, request["ResourceArn"]), request, "Tags", "Key", dict)


def _require(account: Account, resource_arn: str) -> None:
    kind = resource_arn.split(":")[5].partition("/")[0]
    # Executions and model packages are kept under their ARNs, everything else under its name.
    names = (resource_arn, name_of(resource_arn, kind))
    stored = "execution" if "/execution/" in resource_arn else _KINDS.get(kind, kind)
    if arn(kind, "") not in resource_arn or not any(account.store.get(stored, name) for name in names):
        raise invalid(f"Could not find resource {resource_arn}")
