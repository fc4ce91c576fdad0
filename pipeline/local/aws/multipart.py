"""S3: large objects, which boto3's upload_file sends in parts."""

from __future__ import annotations

import json
import re
import shutil
import uuid
from pathlib import Path

from pipeline.local.aws.account import Account
from pipeline.local.aws.answers import Answer, Request, ServiceError, operation, refuse
from pipeline.local.aws.objects import as_stream
from pipeline.local.aws.storage import etag, object_path, place, scratch

_NAMES = "object.json"


@operation("s3", "CreateMultipartUpload")
def create_multipart_upload(account: Account, request: Request) -> Answer:
    """Open an upload in parts."""
    refuse(request, "Metadata", "Tagging")
    bucket, key = request["Bucket"], request["Key"]
    object_path(account, bucket, key)
    upload = uuid.uuid4().hex
    folder = scratch(account) / upload
    folder.mkdir()
    (folder / _NAMES).write_text(json.dumps([bucket, key]))
    return {"Bucket": bucket, "Key": key, "UploadId": upload}


def _folder(account: Account, request: Request) -> Path:
    upload: str = request["UploadId"]
    folder = scratch(account) / upload
    known = re.fullmatch(r"[0-9a-f]{32}", upload) and (folder / _NAMES).is_file()
    if not known or json.loads((folder / _NAMES).read_text()) != [request["Bucket"], request["Key"]]:
        raise ServiceError("NoSuchUpload", "The specified upload does not exist.", 404)
    return folder


@operation("s3", "UploadPart")
def upload_part(account: Account, request: Request) -> Answer:
    """Keep a part; the same number again replaces it."""
    folder = _folder(account, request)
    temporary = folder / uuid.uuid4().hex
    with temporary.open("wb") as output:
        shutil.copyfileobj(as_stream(request["Body"]), output, 1 << 20)
    part = temporary.replace(folder / str(request["PartNumber"]))
    return {"ETag": etag(part)}


@operation("s3", "CompleteMultipartUpload")
def complete_multipart_upload(account: Account, request: Request) -> Answer:
    """Join the named parts into the object."""
    folder = _folder(account, request)
    bucket, key = request["Bucket"], request["Key"]
    whole = folder / "whole"
    with whole.open("wb") as output:
        for part in request.get("MultipartUpload", {}).get("Parts", []):
            path = folder / str(part["PartNumber"])
            if not path.is_file() or etag(path) != part["ETag"]:
                raise ServiceError("InvalidPart", f"Part {part['PartNumber']} was not uploaded or has another ETag")
            with path.open("rb") as body:
                shutil.copyfileobj(body, output, 1 << 20)
    tag = place(account, whole, bucket, key)
    shutil.rmtree(folder)
    return {"Bucket": bucket, "Key": key, "ETag": tag, "Location": f"s3://{bucket}/{key}"}


@operation("s3", "AbortMultipartUpload")
def abort_multipart_upload(account: Account, request: Request) -> Answer:
    """Forget an upload and its parts."""
    shutil.rmtree(_folder(account, request))
    return {}
