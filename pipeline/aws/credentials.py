"""Keys that can be renewed while a command goes on: a watch outlives the session of whoever signed in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from botocore.credentials import Credentials, ReadOnlyCredentials
from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    import boto3

_ENVIRONMENT = "env"


class RenewableCredentials(Credentials):
    """What every client of a session signs with: the keys that were found last."""

    def __init__(self, found: Credentials) -> None:
        self.replace(found)

    def get_frozen_credentials(self) -> ReadOnlyCredentials:
        """Return the keys to sign with now; those that refresh themselves do so."""
        return self._found.get_frozen_credentials()

    def replace(self, found: Credentials) -> None:
        """Sign with these from now on, in clients that are there already too."""
        self._found = found
        self.method = found.method


def make_renewable(session: boto3.Session) -> None:
    """Let the keys of a session be renewed, where it has any."""
    found = session.get_credentials()
    if found is not None:
        inner: Any = session._session
        inner._credentials = RenewableCredentials(found)


def from_environment(session: boto3.Session) -> bool:
    """Say whether a session's keys are in variables of this process, which no other terminal can change."""
    found = session.get_credentials()
    return found is not None and found.method == _ENVIRONMENT


def renew(session: boto3.Session, account: str) -> bool:
    """Look for keys as a command that starts now would, and take those that the service accepts for the account.

    Keys in this process's own environment cannot have changed: others are looked for behind them.
    """
    import botocore.session

    held = session.get_credentials()
    if not isinstance(held, RenewableCredentials):
        return False
    fresh = botocore.session.Session()
    fresh.set_config_variable("region", session.region_name)
    if held.method == _ENVIRONMENT:
        fresh.get_component("credential_provider").remove(_ENVIRONMENT)
    try:
        found = fresh.get_credentials()
        identity: Any = fresh.create_client("sts")
        if found is None or identity.get_caller_identity()["Account"] != account:
            return False
    except (BotoCoreError, ClientError):
        return False
    held.replace(found)
    return True
