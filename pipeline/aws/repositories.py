"""Amazon ECR: which images it has, and the password that an engine pushes with."""

from __future__ import annotations

import base64
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, code_of
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_ecr import ECRClient

_REGISTRY = re.compile(r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?")


def missing(session: boto3.Session, uris: Sequence[str]) -> list[str]:
    """Return the images that ECR has not, in their order.

    Raises:
        UserError: a URI is none of ECR's, its repository is not there, or AWS refuses to say.
    """
    return [uri for uri in uris if not _has(session, uri)]


@aws_errors()
def login(session: boto3.Session, registry: str) -> str:
    """Return the password of the user `AWS` for a registry; it is good for 12 hours. Raises UserError."""
    answer = _client(session, registry).get_authorization_token()
    token = answer["authorizationData"][0]["authorizationToken"]
    return base64.b64decode(token).decode().partition(":")[2]


@aws_errors()
def account(session: boto3.Session) -> tuple[str, str]:
    """Return the caller's account and region, whose registry it is. Raises UserError."""
    region = session.client("ecr").meta.region_name
    return session.client("sts").get_caller_identity()["Account"], region


@aws_errors()
def _has(session: boto3.Session, uri: str) -> bool:
    registry, _, path = uri.partition("/")
    repository, _, tag = path.rpartition(":")
    client = _client(session, registry)
    try:
        client.describe_images(
            registryId=registry.partition(".")[0], repositoryName=repository, imageIds=[{"imageTag": tag}]
        )
    except ClientError as error:
        if code_of(error) == "ImageNotFoundException":
            return False
        if code_of(error) == "RepositoryNotFoundException":
            region = client.meta.region_name
            raise UserError(f"there is no repository {repository} in {region}: run `bincount bootstrap`") from None
        raise
    return True


def _client(session: boto3.Session, registry: str) -> ECRClient:
    found = _REGISTRY.fullmatch(registry)
    if found is None:
        raise UserError(f"{registry!r} is no registry of Amazon ECR")
    return session.client("ecr", region_name=found["region"])
