"""Asking the service again and again, less often while it throttles or does not answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from botocore.exceptions import ClientError

from pipeline.aws.errors import aws_errors, is_throttling
from pipeline.aws.outages import Outage
from pipeline.errors import UserError

_LONGEST_WAIT = 60.0
_LONGEST_OUTAGE_WAIT = 15.0  # who signs in again wants to see it go on
T = TypeVar("T")


def looks(
    read: Callable[[], T], every: float, sleep: Callable[[float], None], outage: Outage | None = None
) -> Iterator[T | None]:
    """Yield what `read` answers now and every `every` seconds; None where there was no answer.

    It never ends by itself. Throttling is always waited out; with an `outage`, so is what that bears. Raises UserError
    for what else botocore raises.
    """
    wait = every
    while True:
        now = _look(read, outage)
        longest = _LONGEST_OUTAGE_WAIT if outage is not None and outage.lasts else _LONGEST_WAIT
        wait = min(longest, wait * 2) if now is None else every
        yield now
        sleep(wait)


def _look(read: Callable[[], T], outage: Outage | None) -> T | None:
    try:
        with aws_errors():
            now = read()
    except UserError as error:
        cause = error.__cause__
        if isinstance(cause, ClientError) and is_throttling(cause):
            return None
        if outage is None or not outage.bear(cause):
            raise
        return None
    if outage is not None:
        outage.over()
    return now


def insist(action: Callable[[], object], every: float, sleep: Callable[[float], None], outage: Outage | None) -> None:
    """Do something until it is done, however long the outage. Raises UserError where the service refuses it."""

    def done() -> bool:
        action()
        return True

    next(filter(None, looks(done, every, sleep, outage)))
