"""What a role may do, from its policies: pairs of an action and a resource, `sagemaker:CreateModel model/bincount-*`.

Which actions there are and which resources each one knows is AWS's service authorization reference, as cfn-lint
carries it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

from tests.infra.templates import ACCOUNT, Stack

Statement = dict[str, Any]
ANY = "*"
_WITHOUT_RESOURCE = {"cloudwatch:PutMetricData"}  # its `dataset` is of another product
# What the reference leaves out and the SageMaker guide's policies have (sharing of model package groups).
_ALSO = {"sagemaker:ListModelPackages": "model-package-group", "sagemaker:CreateModel": "model-package"}


@cache
def reference() -> dict[str, Any]:
    """Return the service authorization reference: by service, Actions with their Resources, Resources with ARNs."""
    text = files("cfnlint.data.AdditionalSpecs").joinpath("Policies.json").read_text(encoding="utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def formats(action: str) -> list[str]:
    """Return regular expressions of the ARNs that an action knows; none: it is about no resource."""
    service, _, operation = action.partition(":")
    if action in _WITHOUT_RESOURCE:
        return []
    about = {key.lower(): value for key, value in reference()[service]["Actions"].items()}[operation.lower()]
    kinds = {key.lower(): value for key, value in reference()[service]["Resources"].items()}
    names = [*about.get("Resources", []), *([_ALSO[action]] if action in _ALSO else [])]
    arns = [arn for name in names for arn in kinds[name.lower()]["ARNFormats"]]
    return [re.sub(r"\$\{\w+\}", r"[^:]*", arn) for arn in arns]


def knows(action: str, resource: str) -> bool:
    """Return whether a resource of a statement means anything to an action."""
    known = formats(action)
    if not known or resource == ANY:
        return not known and resource == ANY
    if action.startswith("s3:"):
        is_object = "/" in resource.rpartition(":")[2]
        return is_object == any("object" in kind for kind in _kinds(action))
    return any(re.fullmatch(arn, resource) for arn in known)


def _kinds(action: str) -> list[str]:
    return list(reference()["s3"]["Actions"][action.partition(":")[2].lower()].get("Resources", []))


def listed(value: Any) -> list[Any]:
    """Return what may be written alone or in a list as a list."""
    return value if isinstance(value, list) else [value]


def statements(stack: Stack, logical: str) -> list[Statement]:
    """Return the statements of a role, its managed policies included, or those of a managed policy."""
    one = stack.resources[logical]["Properties"]
    holders = [*one.get("Policies", []), *([one] if "PolicyDocument" in one else [])]
    name = one.get("RoleName", "")
    managed = stack.of_type("AWS::IAM::ManagedPolicy").values()
    holders += [it for it in managed if name in it.get("Roles", []) or _arn(it) in one.get("ManagedPolicyArns", [])]
    return [statement for holder in holders for statement in holder["PolicyDocument"]["Statement"]]


def _arn(managed: dict[str, Any]) -> str:
    return f"arn:aws:iam::{ACCOUNT}:policy/{managed['ManagedPolicyName']}"


def grants(found: list[Statement]) -> set[str]:
    """Return all pairs that statements allow, and those of a resource that its action does not know, marked as such."""
    return {text for statement in found for text in _pairs(statement)}


def _pairs(statement: Statement) -> Iterator[str]:
    resources = [str(one) for one in listed(statement["Resource"])]
    actions = listed(statement["Action"])
    for action in actions:
        known = [one for one in resources if knows(action, one)]
        yield from (f"{action} {place}" for one in known for place in places(one, statement))
        if not known:
            yield f"{action} {', '.join(resources)} (unknown to the action)"
    for resource in resources:
        if actions and not any(knows(action, resource) for action in actions):
            yield f"{resource} (unknown to {', '.join(actions)})"


def places(arn: str, statement: Statement) -> list[str]:
    """Return an ARN without what is the same in all: `model/bincount-*`; of a listing, what may be listed."""
    if arn == ANY:
        return [arn]
    _, _, service, _, account, name = arn.split(":", 5)
    if service != "s3":
        return [name if account else arn]
    bucket, _, key = name.partition("/")
    own = bucket.startswith("bincount-")
    if key:
        return [key if own else name]
    prefixes = statement.get("Condition", {}).get("StringLike", {}).get("s3:prefix")
    return listed(prefixes) if prefixes else ["all of the bucket" if own else name]
