"""Where an endpoint's files lie."""

from __future__ import annotations

from pathlib import Path

from pipeline.local.home import Home


def endpoint_folder(home: Home, endpoint: str) -> Path:
    """Return the folder of an endpoint: a folder a configuration, and the managers' log."""
    return home.root / "endpoints" / endpoint


def fleet_folder(home: Home, endpoint: str, config: str) -> Path:
    """Return what stands for `/opt/ml` in the servers of a configuration: their `model`, and a log a server."""
    return endpoint_folder(home, endpoint) / config


def manager_log(home: Home, endpoint: str) -> Path:
    """Return the file that has the output of an endpoint's managers."""
    return endpoint_folder(home, endpoint) / "manager.log"


def lock_file(home: Home, endpoint: str) -> Path:
    """Return the file that a manager at work holds locked."""
    return home.root / "endpoints" / f"{endpoint}.lock"
