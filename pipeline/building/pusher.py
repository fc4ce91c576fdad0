"""Bringing images that were built here to ECR."""

from __future__ import annotations

import random
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.aws import repositories
from pipeline.building.engine import Engine
from pipeline.building.images import Image
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

_ATTEMPTS = 5
_FIRST_WAIT = 2.0  # seconds, doubled from one attempt to the next
# What passes by itself; a refusal does not.
_PASSING = re.compile(
    r"toomanyrequests|rate exceeded|throttl|time[d -]*out|connection (reset|refused)|broken pipe|\bEOF\b|"
    r"temporar|no such host|\b(429|5\d\d)\b",
    re.IGNORECASE,
)


def push(
    images: Sequence[Image],
    engine: Engine,
    session: boto3.Session,
    tell: Callable[[str], None],
    sleep: Callable[[float], None] = time.sleep,
) -> list[Image]:
    """Push the images that ECR has not, and return them. Somebody else's push of the same one is as good.

    Args:
        images: of one registry.
        engine: that has them.
        session: of the registry's account.
        tell: is given each line that the engine prints.
        sleep: waits between attempts.

    Raises:
        UserError: a repository is not there, an image was not built, or ECR does not take it.
    """
    absent = set(repositories.missing(session, [image.uri for image in images]))
    wanted = [image for image in images if image.uri in absent]
    if unbuilt := [image.step for image in wanted if not engine.has(image.uri)]:
        raise UserError(f"not built here: {', '.join(unbuilt)}: run `bincount images build --target aws`")
    if not wanted:
        return []
    with _signed_in(engine, session, wanted[0].registry) as options:
        return [image for image in wanted if _push(image, engine, options, session, tell, sleep)]


def _push(
    image: Image,
    engine: Engine,
    options: Sequence[str],
    session: boto3.Session,
    tell: Callable[[str], None],
    sleep: Callable[[float], None],
) -> bool:
    """Push one image; say whether it was this push that brought it."""
    tell(f"pushing {image}")
    for attempt in range(1, _ATTEMPTS + 1):
        code, last = engine.stream(["push", *options, image.uri], tell)
        if code == 0:
            return True
        if not repositories.missing(session, [image.uri]):  # a tag cannot be overwritten: somebody was faster
            return False
        reason = last[-1] if last else f"exit code {code}"
        if attempt == _ATTEMPTS or not any(_PASSING.search(line) for line in last):
            raise UserError(f"{image} could not be pushed: {reason}")
        wait = _FIRST_WAIT * 2 ** (attempt - 1) * random.uniform(0.5, 1)  # noqa: S311 - no secret
        tell(f"again in {wait:.0f} s: {reason}")
        sleep(wait)
    raise AssertionError("the last attempt returns or raises")


@contextmanager
def _signed_in(engine: Engine, session: boto3.Session, registry: str) -> Iterator[list[str]]:
    """Sign in to a registry, yield the options of a push, and sign out. The password is never an argument."""
    password = repositories.login(session, registry)
    with tempfile.TemporaryDirectory(prefix="bincount-") as folder:
        # Docker has one file for its sign-ins and everything else that it is told; Podman takes another for this.
        options = [f"--authfile={Path(folder) / 'auth.json'}"] if engine.kind == "podman" else []
        login = engine.run("login", *options, "--username", "AWS", "--password-stdin", registry, text=password)
        if login.returncode:
            reason = (login.stderr.strip() or f"exit code {login.returncode}").splitlines()[-1]
            raise UserError(f"{engine.kind} cannot sign in to {registry}: {reason}")
        try:
            yield [*options, "--format=v2s2"] if engine.kind == "podman" else []
        finally:
            engine.run("logout", *options, registry)
