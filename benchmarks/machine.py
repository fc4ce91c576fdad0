"""What a figure was measured on: machine, Python, commit and day. A figure without them says nothing."""

from __future__ import annotations

import os
import platform
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def machine() -> str:
    """Return the machine in a line: its processor, cores and memory, and the Python."""
    gib = psutil.virtual_memory().total / 2**30
    return f"{processor()}, {cores()} cores, {gib:.0f} GiB, no GPU used, Python {platform.python_version()}"


def processor(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """Return the processor's name, and those of its extensions that decide how fast bf16 and int8 are."""
    if not cpuinfo.is_file():
        return platform.processor() or platform.machine()
    facts = dict(line.split(":", 1) for line in cpuinfo.read_text().splitlines() if ":" in line)
    facts = {name.strip(): value.strip() for name, value in facts.items()}
    names = {"avx2": "AVX2", "avx512f": "AVX-512", "avx512_vnni": "VNNI", "avx512_bf16": "BF16", "amx_tile": "AMX"}
    flags = set(facts.get("flags", "").split())
    extensions = " ".join(name for flag, name in names.items() if flag in flags)
    return facts.get("model name", platform.machine()) + (f" ({extensions})" if extensions else "")


def commit() -> str:
    """Return the commit, and say so where files differ from it; the pages that figures are written to do not count."""
    try:
        number = _git("rev-parse", "--short=12", "HEAD")
        changed = _git("status", "--porcelain", "--", ".", ":!docs")
    except (OSError, subprocess.CalledProcessError):
        return "unknown commit"
    return f"commit {number}{' with changes' if changed else ''}"


def day() -> str:
    """Return today's date: 2026-11-26."""
    return datetime.now(UTC).date().isoformat()


def _git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
