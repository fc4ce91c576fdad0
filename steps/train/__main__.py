"""Entry point of the training image, the same for a tuning trial, one host, and DDP over several.

    python -m steps.train train                       one process, where there is one host and at most one GPU
    (the same on every host of the job)               torchrun on each host, a process a GPU, or one on a CPU

Hosts, hyperparameters and channels are read where the service leaves them; see README.md.
"""

from __future__ import annotations

import os
import sys

from steps.common.job import base_dir, hyperparameters, run_job, training_hosts
from steps.common.processor import cores
from steps.train import hyperparameters as known
from steps.train.launcher import environment, gpus, torchrun_arguments, wait_for_name
from steps.train.signals import STOPPED


def main() -> None:
    """Check what was asked for, then train in this process or through torchrun."""
    (base_dir() / "output" / "failure").unlink(missing_ok=True)
    known.parse(hyperparameters())  # before anything slow: a typing error is told at once
    hosts, processes = training_hosts(), max(1, gpus())
    os.environ.update(environment(hosts, processes, os.environ, cores()))  # before torch reads it
    if len(hosts.hosts) * processes == 1:
        from steps.train.worker import work

        work()
    else:
        wait_for_name(os.environ["MASTER_ADDR"])
        torchrun(torchrun_arguments(hosts, processes, os.environ["MASTER_ADDR"], os.environ["MASTER_PORT"]))


def torchrun(arguments: list[str]) -> None:
    """Be torchrun, which passes SIGTERM on and waits; leave with 143 after a stop, with 1 after a fault.

    The faulty process itself has written its failure file.
    """
    from torch.distributed import run
    from torch.distributed.elastic.multiprocessing import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    try:
        run.main(arguments)
    except SignalException:
        sys.exit(STOPPED)
    except ChildFailedError as error:
        codes = {failure.exitcode for failure in error.failures.values()}
        sys.exit(STOPPED if codes == {STOPPED} else 1)


if __name__ == "__main__":
    run_job(main)
