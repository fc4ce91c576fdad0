"""Images in moto's ECR."""

from __future__ import annotations

import contextlib
import json

import boto3


def put_image(session: boto3.Session, repository: str, tag: str, region: str = "us-east-1") -> None:
    """Put an image of one layer, and its repository where there is none yet."""
    client = session.client("ecr", region_name=region)
    with contextlib.suppress(client.exceptions.RepositoryAlreadyExistsException):
        client.create_repository(repositoryName=repository, imageTagMutability="IMMUTABLE")
    client.put_image(repositoryName=repository, imageTag=tag, imageManifest=json.dumps(_manifest(tag)))


def _manifest(tag: str) -> dict[str, object]:
    media_type = "application/vnd.docker.distribution.manifest.v2+json"
    digest = f"sha256:{tag.encode().hex():0>64}"
    blob = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 1, "digest": digest}
    return {"schemaVersion": 2, "mediaType": media_type, "config": blob, "layers": [blob]}
