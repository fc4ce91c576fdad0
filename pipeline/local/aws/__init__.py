"""Local AWS: a boto3 session whose calls are answered here, from the state and the files of the local account.

No network and no credentials. Requests and answers are held against botocore's own models of the services, so what
passes here has the shape that AWS takes and gives.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pipeline.local.home import Home

if TYPE_CHECKING:
    import boto3

    from pipeline.local.aws.account import Launcher


def session(home: Home, launch: Launcher | None = None, containers: Mapping[str, Any] | None = None) -> boto3.Session:
    """Return the boto3 session of the local account in `home`.

    `launch(home, execution ARN) -> process id` starts the engine of an execution; a detached process unless given.
    Executions that are started run in containers of the engine `containers` (a `Choice`'s document), else as processes.
    """
    from pipeline.local.aws.sessions import open_session

    return open_session(home, launch, containers)
