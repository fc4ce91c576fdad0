"""How many processes a training takes, and what each host's torchrun is told. Imports no torch."""

from __future__ import annotations

import socket
import sys
import time
from collections.abc import Callable, Mapping
from ipaddress import ip_address
from pathlib import Path

from steps.common.job import Hosts, JobError

PORT = "7777"  # as the service's own toolkits have it
GRACE = 110  # seconds for a step and a checkpoint after SIGTERM: the service kills after 120
RESOLVE_SECONDS = 300.0
# A step frees and takes again hundreds of megabytes. By default glibc gives pieces of more than 32 MB back to the
# kernel, which clears each page anew: kept, and in pages of 2 MB, EfficientNet-Lite0 at 224 pixels trains 1.4 times as
# fast on a core (batch 32: 14.4 photos/s, 9.3 without). Other C libraries ignore it.
ALLOCATOR = ":".join(
    f"glibc.malloc.{name}={value}"
    for name, value in {"hugetlb": 1, "mmap_threshold": 2**32, "trim_threshold": 2**33, "top_pad": 2**28}.items()
)


def gpus(devices: Path = Path("/dev")) -> int:
    """Count the GPUs of this host without asking a driver."""
    return len(list(devices.glob("nvidia[0-9]*")))


def is_loopback(address: str) -> bool:
    """Return whether an address is this machine's own, which means that all hosts are on it."""
    if address == "localhost":
        return True
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def environment(hosts: Hosts, processes: int, given: Mapping[str, str], cores: int) -> dict[str, str]:
    """Return the variables that the processes of this host need and that are not set yet.

    Args:
        hosts: of the job.
        processes: of this host.
        given: the present environment; what it sets stays.
        cores: that this host may use.
    """
    master = given.get("MASTER_ADDR", hosts.hosts[0])
    shared = is_loopback(master)
    loopback = "lo0" if sys.platform == "darwin" else "lo"
    interface = loopback if shared else hosts.network_interface
    sharing = processes * (len(hosts.hosts) if shared else 1)
    wanted = {
        "MASTER_ADDR": master,
        "MASTER_PORT": PORT,
        "GLOO_SOCKET_IFNAME": interface,
        "NCCL_SOCKET_IFNAME": interface,
        "OMP_NUM_THREADS": str(max(1, cores // sharing)),
        # Threads that wait by spinning take the core from those they wait for wherever cores are shared.
        "OMP_WAIT_POLICY": "PASSIVE",
        "GLIBC_TUNABLES": ALLOCATOR,
    }
    return {name: value for name, value in wanted.items() if name not in given}


def torchrun_arguments(hosts: Hosts, processes: int, master: str, port: str) -> list[str]:
    """Return torchrun's arguments on this host: static rendezvous, no restarts (the service restarts whole jobs)."""
    return [
        f"--nnodes={len(hosts.hosts)}",
        f"--node_rank={hosts.rank}",
        f"--nproc_per_node={processes}",
        f"--master_addr={master}",
        f"--master_port={port}",
        f"--shutdown_timeout={GRACE}",
        "-m",
        "steps.train.worker",
    ]


def wait_for_name(
    name: str,
    resolve: Callable[[str], object] = lambda name: socket.getaddrinfo(name, None),
    patience: float = RESOLVE_SECONDS,
    pause: float = 1.0,
) -> None:
    """Wait until a host's name resolves: names appear some time after the first host starts.

    Raises:
        JobError: it does not within `patience` seconds.
    """
    end = time.monotonic() + patience
    while True:
        try:
            resolve(name)
        except OSError as error:
            if time.monotonic() >= end:
                raise JobError(f"the name of the first host, {name}, does not resolve: {error}") from None
            time.sleep(pause)
        else:
            return
