from __future__ import annotations

import os
from pathlib import Path

import pytest

from containers.inference.settings import Settings, SettingsError, read_settings


def test_an_empty_environment_is_the_service_s() -> None:
    cores = len(os.sched_getaffinity(0))
    assert read_settings({}) == Settings(Path("/opt/ml/model"), "0.0.0.0", 8080, 9090, "", cores)  # noqa: S104


def test_everything_can_be_set() -> None:
    environment = {
        "SAGEMAKER_BASE_DIR": "/tmp/base",
        "SERVER_HOST": "127.0.0.1",
        "SAGEMAKER_BIND_TO_PORT": "8081",
        "METRICS_PORT": "9091",
        "MODEL_VERSION": " bincount-demo/3 ",
        "OMP_NUM_THREADS": "3",
    }
    assert read_settings(environment) == Settings(
        Path("/tmp/base/model"), "127.0.0.1", 8081, 9091, "bincount-demo/3", 3
    )


@pytest.mark.parametrize(("granted", "threads"), [("1", 1), ("2,4", 2), ("100000", 256)])
def test_the_launcher_grants_cores(granted: str, threads: int) -> None:
    assert read_settings({"OMP_NUM_THREADS": granted}).threads == threads


@pytest.mark.parametrize("granted", ["", "0", "-1", "many", "²"])
def test_a_grant_that_is_none_is_all_cores(granted: str) -> None:
    assert read_settings({"OMP_NUM_THREADS": granted}).threads == read_settings({}).threads


@pytest.mark.parametrize("port", ["http", "-1", "65536", "80.0", "²"])
@pytest.mark.parametrize("name", ["SAGEMAKER_BIND_TO_PORT", "METRICS_PORT"])
def test_a_port_must_be_one(name: str, port: str) -> None:
    with pytest.raises(SettingsError, match=f"{name} must be a port, 0 to 65535, not '{port}'"):
        read_settings({name: port})


def test_the_ports_must_differ() -> None:
    with pytest.raises(SettingsError, match="METRICS_PORT is 9090"):
        read_settings({"SAGEMAKER_BIND_TO_PORT": "9090"})
    assert read_settings({"SAGEMAKER_BIND_TO_PORT": "0", "METRICS_PORT": "0"}).port == 0
