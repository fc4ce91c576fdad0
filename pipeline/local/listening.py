"""Whose port it is."""

from __future__ import annotations

import psutil


def listens(pid: int, port: int) -> bool:
    """Say whether a process, or one that it started, listens on a TCP port; yes where that may not be looked at."""
    try:
        leader = psutil.Process(pid)
        family = [leader, *leader.children(recursive=True)]
        listening = [one for process in family for one in process.net_connections("tcp")]
    except psutil.NoSuchProcess:
        return False
    except psutil.AccessDenied:
        return True
    return any(one.status == psutil.CONN_LISTEN and one.laddr.port == port for one in listening)
