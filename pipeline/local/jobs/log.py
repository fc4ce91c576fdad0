"""The log of a job as it grows: hosts' lines in one file, and the metrics in them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pipeline.local.failures import StepError

_LINE = 16_384  # characters of a line that are searched for metrics
_UNFINISHED = 1 << 20  # bytes after which a line that does not end is taken as it is


class Metrics:
    """Values that MetricDefinitions find in log lines, by metric name, oldest first."""

    def __init__(self, definitions: Iterable[Mapping[str, Any]]) -> None:
        self._patterns = [(definition["Name"], _compiled(definition)) for definition in definitions]
        self.values: dict[str, list[float]] = {}

    def read(self, line: str) -> bool:
        """Search a line; say whether it held a value. What matches and is no number is passed over."""
        found = False
        for name, pattern in self._patterns:
            match = pattern.search(line[:_LINE])
            if match is None:
                continue
            try:
                value = float(match.group(1) if pattern.groups else match.group())
            except (TypeError, ValueError):
                continue
            self.values.setdefault(name, []).append(value)
            found = True
        return found

    @property
    def last(self) -> dict[str, float]:
        """The latest value of each metric, which is the one the service reports."""
        return {name: values[-1] for name, values in self.values.items()}


def _compiled(definition: Mapping[str, Any]) -> re.Pattern[str]:
    try:
        return re.compile(definition["Regex"])
    except re.error as error:
        raise StepError(f"ClientError: metric {definition['Name']}: its Regex cannot be read: {error}") from None


class JobLog:
    """`log.txt` of a job. One host writes to it directly; several write to a file each, merged here with a prefix."""

    def __init__(self, folder: Path, hosts: tuple[str, ...]) -> None:
        self.path = folder / "log.txt"
        self.path.touch()
        self._sources = {host: self.path if len(hosts) == 1 else folder / f"{host}.log" for host in hosts}
        self._offsets = {host: self.path.stat().st_size if len(hosts) == 1 else 0 for host in hosts}
        self._rest = dict.fromkeys(hosts, b"")
        self.last_line = ""

    def of(self, host: str) -> Path:
        """Return the file that a host's output goes to."""
        return self._sources[host]

    def pump(self, *, final: bool = False) -> list[str]:
        """Return the lines that came since the last call; with `final`, an unfinished last line too."""
        lines: list[str] = []
        for host, source in self._sources.items():
            new = self._new_lines(host, source, final=final)
            if source != self.path and new:
                with self.path.open("a", encoding="utf-8") as log:
                    log.writelines(f"[{host}] {line}\n" for line in new)
            lines += new
        for line in lines:
            self.last_line = line.strip() or self.last_line
        return lines

    def _new_lines(self, host: str, source: Path, *, final: bool) -> list[str]:
        if not source.exists() or source.stat().st_size == self._offsets[host]:
            data = b""
        else:
            with source.open("rb") as file:
                file.seek(self._offsets[host])
                data = file.read()
            self._offsets[host] += len(data)
        data = self._rest[host] + data
        cut = len(data) if final or len(data) > _UNFINISHED else data.rfind(b"\n") + 1
        self._rest[host] = data[cut:]
        # By newlines alone: progress bars rewrite their line with carriage returns.
        lines = data[:cut].decode("utf-8", "replace").split("\n")
        return lines if lines[-1] else lines[:-1]
