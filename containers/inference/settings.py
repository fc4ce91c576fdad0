"""What the environment tells the server."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from steps.common.processor import cores

HIGHEST_PORT = 65535


class SettingsError(Exception):
    """The environment asks for what cannot be; the message is one line that says what to set."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the model lies and where the server listens. Port 0 takes any free port and says which in the log."""

    model: Path
    host: str
    port: int
    metrics_port: int
    version: str  # "" for the digest of the graph
    threads: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Return the settings of an environment.

    Raises:
        SettingsError: a port is no port, or both are the same.
    """
    port = _port(environment, "SAGEMAKER_BIND_TO_PORT", 8080)
    metrics_port = _port(environment, "METRICS_PORT", 9090)
    if port == metrics_port != 0:
        raise SettingsError(f"METRICS_PORT is {port}, the port of the endpoint itself: set another")
    return Settings(
        model=Path(environment.get("SAGEMAKER_BASE_DIR") or "/opt/ml") / "model",
        host=environment.get("SERVER_HOST") or "0.0.0.0",  # noqa: S104 - in a container that is what is reached from outside
        port=port,
        metrics_port=metrics_port,
        version=environment.get("MODEL_VERSION", "").strip(),
        threads=_threads(environment),
    )


def _port(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name) or str(default)
    if not (text.isascii() and text.isdigit() and int(text) <= HIGHEST_PORT):
        raise SettingsError(f"{name} must be a port, 0 to {HIGHEST_PORT}, not {text[:20]!r}")
    return int(text)


def _threads(environment: Mapping[str, str]) -> int:
    """Return the cores that the launcher grants, else all that this process may run on."""
    granted = environment.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if granted.isascii() and granted.isdigit() and int(granted) > 0:
        return min(int(granted), 256)
    return cores()
