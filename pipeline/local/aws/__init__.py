"""Local AWS: a boto3 session whose calls are answered here, from the state and the files of the local account.

No network and no credentials. Requests and answers are held against botocore's own models of the services, so what
passes here has the shape that AWS takes and gives.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pipeline.local.home import Home

if TYPE_CHECKING:
    import boto3

    from pipeline.local.aws.account import Launcher


def session(home: Home, launch: Launcher | None = None) -> boto3.Session:
    """Return the boto3 session of the local account in `home`.

    `launch(home, execution ARN) -> process id` starts the engine of an execution; a detached process unless given.
    """
    from pipeline.local.aws.sessions import open_session

    return open_session(home, launch)
