"""What there is in the account, as far as it has to do with the execution that is asked for."""

from __future__ import annotations

from collections.abc import Collection
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from pipeline.aws.executions import executions
from pipeline.aws.function_code import changed
from pipeline.aws.launching.models import Found, Need, Wanted
from pipeline.aws.objects import missing_files
from pipeline.aws.pipelines import current
from pipeline.aws.repositories import missing

if TYPE_CHECKING:
    import boto3

_LOOKED_AT = 20  # of the latest executions, for those that run: the service runs no more at once


def read(session: boto3.Session, wanted: Wanted) -> Found:
    """Return what there is. Raises UserError, but not for quotas, which not everybody may read."""
    with ThreadPoolExecutor(max_workers=1) as pool:
        # There are thousands of quotas, a hundred a page: they are read while the rest is.
        asked = pool.submit(quotas, session, wanted.needs)
        now = current(session, wanted.pipeline)
        running = executions(session, wanted.pipeline, _LOOKED_AT) if now else []
        files = missing_files(session, wanted.data.files, wanted.data.uri) if wanted.data else {}
        return Found(
            current=now,
            changed_functions=tuple(changed(session)) if wanted.functions else (),
            missing_images=frozenset(missing(session, [image.uri for image in wanted.images])),
            missing_files=frozenset(files),
            quotas=asked.result(),
            running=tuple(one.id for one in running if not one.done),
        )


def quotas(session: boto3.Session, needs: Collection[Need]) -> dict[str, float]:
    """Return the applied value of each quota that the needs name; nothing of what may not be read."""
    wanted, found = {need.quota for need in needs}, dict[str, float]()
    if not wanted:
        return found
    try:
        client: Any = session.client("service-quotas")
        pages = client.get_paginator("list_service_quotas").paginate(ServiceCode="sagemaker")
        for page in pages:
            found |= {one["QuotaName"]: one["Value"] for one in page["Quotas"] if one["QuotaName"] in wanted}
            if len(found) == len(wanted):
                break
    except (BotoCoreError, ClientError):
        return found
    return found
