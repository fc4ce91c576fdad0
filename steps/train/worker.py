"""One process of a training, started by torchrun (`-m steps.train.worker`) or called by the launcher."""

from __future__ import annotations

import sys
import traceback

from steps.common.job import JobError, base_dir, hyperparameters, run_job
from steps.train import hyperparameters as known
from steps.train.signals import STOPPED, StopRequest, die_with_parent


def work() -> None:
    """Train; leave with 143 when stopped.

    Raises:
        JobError: what the user can mend.
    """
    stop = StopRequest()  # before torch is imported, which takes seconds
    parameters = known.parse(hyperparameters())
    from steps.train.ddp import join
    from steps.train.loop import StoppedError
    from steps.train.training import train

    try:
        train(parameters, join(), stop)
    except StoppedError:
        print("stopped as asked; the checkpoint is written", flush=True)
        sys.exit(STOPPED)


def quieter() -> None:
    """Work; let the first fault name the job's failure: what peers say of the broken connection comes after it."""
    try:
        work()
    except JobError:
        raise
    except Exception:
        if not (base_dir() / "output" / "failure").exists():
            raise
        traceback.print_exc()
        sys.exit(1)


if __name__ == "__main__":
    die_with_parent()
    run_job(quieter)
