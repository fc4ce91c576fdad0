"""What this machine's processor offers: cores that are granted, and the number formats that it computes in."""

from __future__ import annotations

import os
from pathlib import Path


def cores() -> int:
    """Return the number of cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def flags() -> frozenset[str]:
    """Return the instruction sets of this machine by Linux's names; none where it is another system."""
    path = Path("/proc/cpuinfo")
    return cpu_flags(path.read_text(encoding="utf-8")) if path.exists() else frozenset()


def cpu_flags(cpuinfo: str) -> frozenset[str]:
    """Return the instruction sets that the text of /proc/cpuinfo names (its first processor's)."""
    for line in cpuinfo.splitlines():
        name, _, values = line.partition(":")
        if name.strip() in ("flags", "Features"):
            return frozenset(values.split())
    return frozenset()
