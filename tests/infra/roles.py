"""What each role and policy of the template must grant: from the calls of the tests, and from the definitions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from tests.infra.definitions import Needs, container, of_definition
from tests.infra.needs import Places, needs
from tests.infra.templates import Stack

Calls = Mapping[str, set[str]]
_EXECUTIONS = ("bincount/executions/*",)
FUNCTIONS: dict[str, Places] = {
    "deploy": {"read": _EXECUTIONS, "tagged": ("endpoint/bincount-*",)},
    "champion": {"read": _EXECUTIONS},
    "predict": {
        "read": ("data/*", "photos-of-ours/*"),
        "sagemaker:InvokeEndpoint": ("endpoint/bincount-prod-production",),
    },
    "drift": {"read": ("bincount/capture/*", *_EXECUTIONS), "listed": ("bincount/capture/*",)},
}
"""The functions, and where in the account each does what; the rest of its resources are the project's."""
_BY_EVENTS = {"deploy", "drift"}
# Without the right to list, S3 answers 403 for what is gone, which is then no reason to pass a version over.
_BEYOND_CALLS = {"champion": {"s3:ListBucket bincount/executions/*"}}

ADMINISTRATOR = ("cli installing.", "cli removing.", "pipeline/aws/installing/", "pipeline/aws/removing/")
"""Who makes and removes the roles themselves: no role of the stack could."""
CI = (
    "cli executions.",
    "cli fetching.",
    "cli images.",
    "cli launching.",
    "cli running.",
    "cli starting.",
    "cli waiting.",
    "pipeline/aws/credentials.py",
    "pipeline/aws/deployment.py",
    "pipeline/aws/executions.py",
    "pipeline/aws/fetching.py",
    "pipeline/aws/function_code.py",
    "pipeline/aws/inspection.py",
    "pipeline/aws/launching/",
    "pipeline/aws/logs.py",
    "pipeline/aws/objects.py",
    "pipeline/aws/pipelines.py",
    "pipeline/aws/repositories.py",
    "pipeline/aws/stack.py",
    "pipeline/aws/watching.py",
)
"""The verbs that run pipelines, and the modules that only they need whole. Every other is the operator's."""
# What docker or podman ask of ECR (the ECR guide, pushing an image).
_PUSH = {
    f"ecr:{one} repository/bincount-*"
    for one in (
        "BatchCheckLayerAvailability",
        "BatchGetImage",
        "CompleteLayerUpload",
        "InitiateLayerUpload",
        "PutImage",
        "UploadLayerPart",
    )
}
_REPORTS = ("bincount/executions/*",)
CI_PLACES: Places = {
    "read": (*_REPORTS, "definitions/*"),
    "listed": (*_REPORTS, "data/*"),
    "written": ("data/*", "definitions/*"),
    "tagged": ("pipeline/bincount-*",),
}
OPERATOR_PLACES: Places = {
    "read": _REPORTS,
    "listed": _REPORTS,
    "written": ("data/*",),
    "tagged": ("endpoint/bincount-*",),
    "invoked": ("function:bincount-deploy", "function:bincount-predict", "function:bincount-drift"),
}


def required(stack: Stack, calls: Calls, definitions: Iterable[dict[str, Any]]) -> Needs:
    """Return, by the logical name of each role and policy, the pairs that it must grant."""
    found = {f"{name.title()}Role": _function(name, calls) for name in FUNCTIONS}
    jobs: Needs = {}
    container("model", "/aws/sagemaker/Endpoints/bincount-*", "bincount-inference", jobs)
    for definition in definitions:
        for role, pairs in of_definition(definition).items():
            jobs.setdefault(role, set()).update(pairs)
    # The endpoint's container reads the model; the service writes what it captures.
    jobs["model"] |= {f"s3:{one} bincount/executions/*" for one in ("GetObject", "ListBucket")}
    jobs["model"].add("s3:PutObject bincount/capture/*")
    # The guide of the roll-back says "your IAM execution role", and may mean the endpoint's.
    jobs["model"].add("cloudwatch:DescribeAlarms alarm:*")
    # Photos in the public bucket, of which `data manifest` makes a list.
    jobs["processing"] |= {"s3:GetObject aft-vbi-pds/*", "s3:ListBucket aft-vbi-pds"}
    for role in ("processing", "training"):
        jobs[role] |= _NETWORK
    found |= {f"{role.title()}Role": pairs for role, pairs in jobs.items()}
    found |= {name: _with_keys(pairs) for name, pairs in found.items()}
    user_key = {f"kms:{one} key/2f6c" for one in ("Decrypt", "GenerateDataKey")}
    found |= {"CiPolicy": ci(calls), "CiRole": ci(calls) | user_key, "UserKeyPolicy": user_key}
    found["OperatorPolicy"] = operator(calls)
    return found | by_the_clock_and_events(stack)


def _function(name: str, calls: Calls) -> set[str]:
    pairs = needs(calls[name], FUNCTIONS[name]) | _BEYOND_CALLS.get(name, set())
    pairs |= {f"logs:{one} log-group:/aws/lambda/bincount-{name}:*" for one in ("CreateLogStream", "PutLogEvents")}
    return pairs | ({"sqs:SendMessage bincount-undelivered"} if name in _BY_EVENTS else set())


# The SageMaker guide, execution roles: a job in a VPC.
_NETWORK = {
    *(f"ec2:CreateNetworkInterface {one}/*" for one in ("network-interface", "subnet", "security-group")),
    "ec2:CreateNetworkInterfacePermission network-interface/*",
    "ec2:DeleteNetworkInterface network-interface/*",
    "ec2:DeleteNetworkInterfacePermission network-interface/*",
    *(f"ec2:Describe{one} *" for one in ("NetworkInterfaces", "Vpcs", "DhcpOptions", "Subnets", "SecurityGroups")),
}


def _with_keys(pairs: set[str]) -> set[str]:
    """Add what a bucket and disks with a key of one's own need: reading is also a part of writing in parts."""
    actions = {pair.partition(" ")[0] for pair in pairs}
    wanted = {"s3:GetObject": ["Decrypt"], "s3:PutObject": ["Decrypt", "GenerateDataKey"]}
    for starting in ("sagemaker:CreateTrainingJob", "ec2:CreateNetworkInterface"):
        wanted[starting] = ["CreateGrant", "DescribeKey"]
    return pairs | {f"kms:{one} key/2f6c" for action in actions for one in wanted.get(action, [])}


def _of(calls: Calls, *beginnings: str) -> set[str]:
    return set().union(*(made for name, made in calls.items() if name.startswith(beginnings)))


def ci(calls: Calls) -> set[str]:
    """Return what runs pipelines: the role of CI, and people who do by hand what it does."""
    return needs(_of(calls, *CI), CI_PLACES) | _PUSH | {"iam:PassRole role/bincount-pipeline"}


def operator(calls: Calls) -> set[str]:
    """Return what people need who approve versions, look after endpoints and clean up."""
    others = [name for name in calls if not name.startswith((*CI, *ADMINISTRATOR)) and name not in FUNCTIONS]
    return needs(_of(calls, *others), OPERATOR_PLACES)


def by_the_clock_and_events(stack: Stack) -> Needs:
    """Return what the roles of schedules and rules need: to call their targets, and to put away what they cannot."""
    roles = {
        f"arn:aws:iam::123456789012:role/{one['RoleName']}": name
        for name, one in stack.of_type("AWS::IAM::Role").items()
    }
    targets = [one["Target"] for one in stack.of_type("AWS::Scheduler::Schedule").values()]
    targets += [target for one in stack.of_type("AWS::Events::Rule").values() for target in one["Targets"]]
    found: Needs = {}
    for target in targets:
        if "RoleArn" in target:
            found.setdefault(roles[target["RoleArn"]], set()).update(_target(target))
    return found


def _target(target: dict[str, Any]) -> set[str]:
    arn = target["Arn"]
    if arn.startswith("arn:aws:scheduler:::aws-sdk:sagemaker:startPipelineExecution"):
        return {"sagemaker:StartPipelineExecution pipeline/bincount-prod", "sqs:SendMessage bincount-undelivered"}
    if ":function:" in arn:
        return {f"lambda:InvokeFunction {arn.split(':', 5)[5]}", "sqs:SendMessage bincount-undelivered"}
    assert ":pipeline/" in arn, arn
    return {f"sagemaker:StartPipelineExecution {arn.split(':', 5)[5]}"}  # a rule's queue has a policy for it
