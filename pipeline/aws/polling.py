"""Asking the service again and again, less often while it throttles."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, is_throttling

_LONGEST_WAIT = 60.0
T = TypeVar("T")


def looks(read: Callable[[], T], every: float, sleep: Callable[[float], None]) -> Iterator[T | None]:
    """Yield what `read` answers now and every `every` seconds; None where the service throttled it.

    It never ends by itself. Raises UserError for what else botocore raises.
    """
    wait = every
    while True:
        with aws_errors():
            now = _unless_throttled(read)
        wait = min(_LONGEST_WAIT, wait * 2) if now is None else every
        yield now
        sleep(wait)


def _unless_throttled(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except ClientError as error:
        if not is_throttling(error):
            raise
        return None
