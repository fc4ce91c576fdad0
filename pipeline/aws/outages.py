"""What a watch gets over: a session that expires, a network that breaks, a service that has a fault."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from pipeline.aws.credentials import from_environment, renew
from pipeline.aws.errors import is_expired, is_unreachable

if TYPE_CHECKING:
    import boto3

PATIENCE_SECONDS = 12 * 3600.0
"""How long a watch waits for somebody to sign in, or for the network: a night."""


class Outage:
    """Says once what keeps answers from coming, tries to get over it, and says when they come again."""

    def __init__(
        self,
        session: boto3.Session,
        arn: str,
        say: Callable[[str], None],
        *,
        attended: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Watch over a watch.

        Args:
            session: whose keys may be renewed.
            arn: what is watched; says which account the keys have to be of.
            say: gets a line; an empty one where answers come again.
            attended: somebody may read it and sign in. Else keys in the environment, which nobody can change, are the
                end of it.
            clock: seconds that have passed.
        """
        self._session, self._arn, self._say = session, arn, say
        self._attended, self._clock = attended, clock
        self._since: float | None = None
        self._told = ""

    @property
    def lasts(self) -> bool:
        """Whether the last answer did not come."""
        return self._since is not None

    def bear(self, error: BaseException | None) -> bool:
        """Say whether it is worth trying again after this error, and do what helps."""
        if is_expired(error):
            static = from_environment(self._session)
            if static and not self._attended:
                return False
            renew(self._session, self._arn.split(":")[4])
            self._tell(_EXPIRED_KEYS if static else _EXPIRED)
        elif is_unreachable(error):
            self._tell(_UNREACHABLE)
        else:
            return False
        now = self._clock()
        self._since = now if self._since is None else self._since
        return now - self._since < PATIENCE_SECONDS

    def over(self) -> None:
        """Say that answers come again, where they did not."""
        if self._since is not None:
            self._since, self._told = None, ""
            self._say("")

    def _tell(self, text: str) -> None:
        if text != self._told:
            self._told = text
            self._say(text)


_EXPIRED = "the AWS session has expired: sign in again in another terminal (`aws sso login`); watching goes on"
_EXPIRED_KEYS = (
    "the AWS keys in this terminal's environment have expired: in another terminal, sign in with `aws sso login` or "
    "`aws configure`; watching goes on"
)
_UNREACHABLE = "AWS cannot be reached; watching goes on as soon as it can"
