from __future__ import annotations

from pathlib import Path

import pytest

from steps.common.job import Hosts, JobError
from steps.train.launcher import ALLOCATOR, environment, gpus, is_loopback, torchrun_arguments, wait_for_name

TWO = Hosts("algo-2", ("algo-1", "algo-2"), "eth7")


def test_gpus_are_counted_by_their_devices(tmp_path: Path) -> None:
    for name in ("nvidia0", "nvidia1", "nvidia10", "nvidiactl", "nvidia-uvm", "null"):
        (tmp_path / name).touch()
    assert gpus(tmp_path) == 3


@pytest.mark.parametrize(
    ("address", "own"),
    [("127.0.0.1", True), ("localhost", True), ("::1", True), ("algo-1", False), ("10.0.0.1", False)],
)
def test_loopback_is_told(address: str, own: bool) -> None:
    assert is_loopback(address) is own


def test_hosts_of_the_service_use_its_interface_and_port() -> None:
    found = environment(TWO, 4, {}, cores=48)
    assert found == {
        "MASTER_ADDR": "algo-1",
        "MASTER_PORT": "7777",
        "GLOO_SOCKET_IFNAME": "eth7",
        "NCCL_SOCKET_IFNAME": "eth7",
        "OMP_NUM_THREADS": "12",
        "OMP_WAIT_POLICY": "PASSIVE",
        "GLIBC_TUNABLES": ALLOCATOR,
    }


def test_hosts_on_one_machine_share_its_cores_over_loopback() -> None:
    found = environment(TWO, 1, {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "5"}, cores=2)
    assert found["GLOO_SOCKET_IFNAME"] in ("lo", "lo0")
    assert found["OMP_NUM_THREADS"] == "1"
    assert not {"MASTER_ADDR", "MASTER_PORT"} & set(found)


def test_what_is_set_stays() -> None:
    given = {"GLOO_SOCKET_IFNAME": "ib0", "OMP_NUM_THREADS": "3", "OMP_WAIT_POLICY": "ACTIVE"}
    assert not set(given) & set(environment(TWO, 1, given, cores=8))


def test_torchrun_is_told_the_place_of_the_host() -> None:
    arguments = torchrun_arguments(TWO, 4, "algo-1", "7777")
    assert {"--nnodes=2", "--node_rank=1", "--nproc_per_node=4", "--master_addr=algo-1", "--master_port=7777"} <= set(
        arguments
    )
    assert arguments[-2:] == ["-m", "steps.train.worker"]


def test_a_name_is_waited_for() -> None:
    answers = iter([OSError("not yet"), OSError("not yet"), None])

    def resolve(_name: str) -> None:
        if answer := next(answers):
            raise answer

    wait_for_name("algo-1", resolve, pause=0)
    assert next(answers, "used up") == "used up"


def test_a_name_that_never_resolves_is_an_error() -> None:
    def resolve(_name: str) -> None:
        raise OSError("unknown")

    with pytest.raises(JobError, match="algo-1, does not resolve"):
        wait_for_name("algo-1", resolve, patience=0)
