"""Carrying out a plan: the only part that changes anything. Each part may be repeated: what is done is skipped."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.aws.executions import new_token, start
from pipeline.aws.function_code import update
from pipeline.aws.launching.models import Plan, Started
from pipeline.aws.launching.planner import request_token
from pipeline.aws.objects import upload_files
from pipeline.aws.pipelines import upsert
from pipeline.building.builder import build
from pipeline.building.engine import find
from pipeline.building.images import Image
from pipeline.building.pusher import push

if TYPE_CHECKING:
    import boto3

_BUILD_ARGUMENTS = "BINCOUNT_BUILD_ARGS"  # as for `bincount images build`
Tell = Callable[[str], None]


def execute(session: boto3.Session, plan: Plan, logs: Path, tell: Tell = lambda _: None) -> Started:
    """Do what the plan says and start the execution, by the version of the pipeline that holds its definition.

    Args:
        session: who answers.
        plan: what to do.
        logs: folder for what the container engine prints while it builds.
        tell: gets a line when something begins or has been done.

    Raises:
        UserError: something cannot be done; what was done before it stays, and a repetition goes on from there.
    """
    wanted = plan.wanted
    if plan.images:
        _bring_images(session, plan.images, logs, tell)
    for name in plan.functions:
        tell(f"updating function {name}")
        update(session, name)
    if wanted.data is not None and plan.files:
        tell(f"uploading {len(plan.files)} files to {wanted.data.uri}")
        upload_files(session, {key: wanted.data.files[key] for key in plan.files}, wanted.data.uri)
    done = upsert(session, wanted.pipeline, wanted.definition, wanted.role, wanted.tags, wanted.bucket)
    if done.overtaken_by is not None:
        tell(
            f"somebody else has sent version {done.overtaken_by} of {wanted.pipeline} meanwhile, which stays the "
            f"latest; this execution runs version {done.version}, its own"
        )
    token = request_token(wanted, done.version, os.environ, new_token())
    arn = start(session, wanted.pipeline, wanted.parameters, wanted.name, token, done.version)
    return Started(arn, done.version, done.overtaken_by)


def _bring_images(session: boto3.Session, images: Sequence[Image], logs: Path, tell: Tell) -> None:
    """Build the images that are not here, then push them all: nothing is pushed where one cannot be built."""
    engine, extra = find(), shlex.split(os.environ.get(_BUILD_ARGUMENTS, ""))
    for image in images:
        tell(f"building {image} ({logs / image.tag}.log)")
        build(image, engine, logs, lambda _: None, extra=extra)
    push(images, engine, session, tell)
