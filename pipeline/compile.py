"""Settings to the definition's text: the same bytes for the same content, wherever and whenever."""

from __future__ import annotations

import json
import logging
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import boto3

from pipeline.settings import Settings


def compile_definition(settings: Settings) -> str:
    """Return the pipeline definition (JSON, version 2020-12-01) for SageMaker or the local engine.

    Pure: no network, no credentials, no clock. Takes seconds, most of them the import of the SageMaker SDK.

    Raises:
        UserError: this is no checkout, so that there are no images to name.
    """
    with quiet_sdk(settings.aws.region):
        from pipeline.pipeline import build
        from pipeline.sdk import trusted_config

        with trusted_config():
            definition = json.loads(build(settings).definition())
    # The SDK writes `"MlflowConfig": null` for what is not there.
    present = {key: value for key, value in definition.items() if value is not None}
    return json.dumps(present, indent=2, ensure_ascii=False) + "\n"


@contextmanager
def quiet_sdk(region: str) -> Iterator[None]:
    """Keep the user's AWS environment from the SageMaker SDK, and its log lines and warnings from the user.

    The SDK makes a client of the default session while it is imported: without a region it fails, without keys it asks
    the network for some, and with an unknown profile it stops.
    """
    ours = {
        "AWS_ACCESS_KEY_ID": "none",
        "AWS_SECRET_ACCESS_KEY": "none",
        "AWS_DEFAULT_REGION": region,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # Else the SDK asks IAM whether a role that it is given may do its work.
        "SAGEMAKER_VALIDATE_ROLE": "false",
    }
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "SAGEMAKER_"))}
    root, disabled = logging.getLogger(), logging.root.manager.disable
    handlers, level = list(root.handlers), root.level
    logging.disable(logging.WARNING)
    try:
        with (
            mock.patch.dict(os.environ, kept | ours, clear=True),
            mock.patch.object(boto3, "DEFAULT_SESSION", None),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:  # the SDK configures the root logger
        logging.disable(disabled)
        root.handlers[:] = handlers
        root.setLevel(level)
