"""Removing an installation: the only part that changes anything. It may be called again wherever it ended before."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of, is_missing
from pipeline.aws.executions import new_token, stop, watch
from pipeline.aws.removing.inventory import Contents
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

_IMAGES = 100  # that one call may delete
_TOLD = 10_000  # objects between two lines

Tell = Callable[[str], None]


def stop_pipelines(session: boto3.Session, contents: Contents, tell: Tell, *, seconds: float = 5.0) -> None:
    """Stop what runs, wait for its end, and delete the pipelines: nothing starts or deploys again after that.

    Raises:
        UserError: something does not stop, or cannot be deleted.
    """
    for arn in contents.running:
        tell(f"stopping execution {arn.rpartition('/')[2]}")
        _stop(session, arn)
    for arn in contents.running:
        for found in watch(session, arn, seconds):
            if found.done:
                tell(f"execution {found.id} is {found.status}")
    client = session.client("sagemaker")
    for name in contents.pipelines:
        with aws_errors(), _gone_is_fine():
            client.delete_pipeline(PipelineName=name, ClientRequestToken=new_token())
            tell(f"deleted pipeline {name} and its history")


def _stop(session: boto3.Session, arn: str) -> None:
    try:
        stop(session, arn)
    except UserError:
        if not next(iter(watch(session, arn))).done:  # it has ended by itself
            raise


def empty(session: boto3.Session, contents: Contents, tell: Tell) -> None:
    """Delete what lies in the stack's groups, repositories and buckets, and the logs of our endpoints.

    Raises:
        UserError: something cannot be deleted.
    """
    with aws_errors():
        for group in contents.groups:
            _delete_versions(session.client("sagemaker"), group, tell)
        for repository in contents.repositories:
            _delete_images(session.client("ecr"), repository, tell)
        for bucket in contents.buckets:
            _delete_objects(session.client("s3"), bucket, tell)
        for name in contents.logs:
            with _gone_is_fine():
                session.client("logs").delete_log_group(logGroupName=name)
                tell(f"deleted log group {name}")


def detach(session: boto3.Session, contents: Contents, tell: Tell) -> None:
    """Take the stack's policies from the users, groups and roles that they were given to. Raises UserError."""
    client = session.client("iam")
    for one in contents.attached:
        with aws_errors(), _gone_is_fine():
            if one.kind == "user":
                client.detach_user_policy(UserName=one.name, PolicyArn=one.policy)
            elif one.kind == "group":
                client.detach_group_policy(GroupName=one.name, PolicyArn=one.policy)
            else:
                client.detach_role_policy(RoleName=one.name, PolicyArn=one.policy)
            tell(f"took {one.policy.rpartition('/')[2]} from {one.kind} {one.name}")


class _gone_is_fine:  # noqa: N801 - reads as a word of the language where it is used
    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        if not isinstance(error, ClientError):
            return False
        return is_missing(error) or code_of(error) in {"RepositoryNotFoundException", "NoSuchBucket", "NoSuchEntity"}


def _delete_versions(client: Any, group: str, tell: Tell) -> None:  # noqa: ANN401
    deleted = 0
    with _gone_is_fine():
        pages = client.get_paginator("list_model_packages").paginate(ModelPackageGroupName=group)
        arns = [one["ModelPackageArn"] for page in pages for one in page["ModelPackageSummaryList"]]
        for arn in arns:
            with _gone_is_fine():
                client.delete_model_package(ModelPackageName=arn)
                deleted += 1
    if deleted:
        tell(f"deleted {deleted} version{'s' * (deleted > 1)} of {group}")


def _delete_images(client: Any, repository: str, tell: Tell) -> None:  # noqa: ANN401
    deleted = 0
    with _gone_is_fine():
        pages = client.get_paginator("list_images").paginate(repositoryName=repository)
        # By digest: that takes the image with all its tags, and each once.
        digests = sorted({one["imageDigest"] for page in pages for one in page["imageIds"]})
        for some in _batches(digests, _IMAGES):
            images = [{"imageDigest": digest} for digest in some]
            answer = client.batch_delete_image(repositoryName=repository, imageIds=images)
            for failure in answer.get("failures", []):
                if failure.get("failureCode") != "ImageNotFound":
                    raise UserError(
                        f"an image of {repository} stays: {failure.get('failureReason', 'no reason given')}"
                    )
            deleted += len(some)
    if deleted:
        tell(f"deleted {deleted} image{'s' * (deleted > 1)} of {repository}")


def _delete_objects(client: Any, bucket: str, tell: Tell) -> None:  # noqa: ANN401
    """Delete all versions of all objects, and the marks of deleted ones, as they are listed: a thousand a call."""
    deleted = told = 0
    with _gone_is_fine():
        for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket):
            found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in found]
            if not objects:
                continue
            answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
            if errors := answer.get("Errors"):
                first = errors[0]
                raise UserError(f"{len(errors)} objects of {bucket} stay, {first.get('Key')}: {first.get('Message')}")
            deleted += len(objects)
            if deleted - told >= _TOLD:
                told = deleted
                tell(f"deleted {deleted:,} objects and versions of {bucket} ...")
    if deleted:
        tell(f"deleted {deleted:,} objects and versions of {bucket}")


def _batches(items: Iterable[str], size: int) -> Iterator[list[str]]:
    rest = list(items)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]
