"""Photos for an execution: where they are in S3, and those of this machine on their way there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pipeline.cli.options import Target
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.launching.models import Data

_NONE = "there are no photos at {}: give a folder with -p DataUri=FOLDER (`bincount data synth` draws one)"


def local_data(where: str) -> str:
    """Return the address of the photos: a folder goes to the local S3 first. Raises UserError where there are none."""
    if where.startswith("s3://"):
        return found_data(where)
    from pipeline.cli.data import import_folder
    from pipeline.local.home import Home
    from pipeline.local.s3 import LocalS3

    return import_folder(Path(where), LocalS3(Home.find().s3)).uri


def found_data(where: str) -> str:
    """Return what it was given, where there are photos; nothing is written. Raises UserError where there are none."""
    from pipeline.local.home import Home
    from pipeline.local.s3 import LocalS3, S3Error

    if not where.startswith("s3://"):
        from pipeline.data.selection import select

        select(Path(where))
        return where
    try:
        found = LocalS3(Home.find().s3).list(f"{where.rstrip('/')}/")
    except S3Error as error:
        raise UserError(str(error)) from None
    if not found:
        raise UserError(_NONE.format(where))
    return where


class RemotePhotos:
    """Turns what was given for DataUri into an address on AWS; `data` is then what has to be uploaded for it."""

    def __init__(self, session: boto3.Session, bucket: str) -> None:
        self._session, self._bucket = session, bucket
        self.data: Data | None = None

    def __call__(self, where: str) -> str:
        """Return the address: of a folder that which its content gives it.

        Raises UserError where there are no photos.
        """
        if where.startswith("s3://"):
            self._check(where)
            return where
        self.data = _data(Path(where), self._bucket)
        return self.data.uri

    def _check(self, where: str) -> None:
        from pipeline.aws.objects import is_there

        there = is_there(self._session, where)
        if there is None:
            typer.echo(f"whether there are photos at {where} cannot be seen from here: the jobs will tell", err=True)
        elif not there:
            raise UserError(_NONE.format(where))


def _data(folder: Path, bucket: str) -> Data:
    from pipeline.aws.launching.models import Data
    from pipeline.cli.data import tell_amiss
    from pipeline.cli.progress import progress
    from pipeline.data.importing import digests
    from pipeline.data.selection import select

    chosen = select(folder)
    uri = ""
    try:
        with progress("reading", len(chosen.files)) as advance:
            for digest in digests(chosen):
                uri = f"s3://{bucket}/data/{digest}"
                advance(1)
    except OSError as error:
        raise UserError(f"cannot read {error.filename}: {error.strerror}") from None
    tell_amiss(chosen)
    return Data(uri, chosen.files)


def photos_on(session: boto3.Session, target: Target, profile: str) -> Callable[[str], str]:
    """Return the function that turns what was given for DataUri into an address, and uploads a folder at once."""
    if target is Target.LOCAL:
        return local_data
    from pipeline.aws.objects import missing_files, upload_files
    from pipeline.cli.lookup import settings_on

    def address(where: str) -> str:
        bucket = "" if where.startswith("s3://") else settings_on(session, target, profile, {}).aws.bucket
        photos = RemotePhotos(session, bucket)
        uri = photos(where)
        if photos.data is not None:
            upload_files(session, missing_files(session, photos.data.files, uri), uri)
        return uri

    return address
