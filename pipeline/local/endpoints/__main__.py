"""The manager process: `python -m pipeline.local.endpoints ENDPOINT FILE`, FILE being the open file of its hold."""

from __future__ import annotations

import os
import sys

from pipeline.local.aws.account import Account
from pipeline.local.aws.launch import start_engine
from pipeline.local.endpoints.lock import Hold
from pipeline.local.endpoints.manager import manage
from pipeline.local.home import Home
from pipeline.local.runner import ProcessRunner
from pipeline.local.store import Store


def main() -> None:
    """Manage the endpoint until there is nothing left to do."""
    endpoint, file = sys.argv[1], int(sys.argv[2])
    os.set_inheritable(file, False)  # a server that had the file would keep the hold
    home = Home.find()
    manage(Account(home, Store(home.database), start_engine), ProcessRunner(), endpoint, Hold(file))


if __name__ == "__main__":
    main()
