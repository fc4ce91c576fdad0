"""One process of a training, started by torchrun (`-m steps.train.worker`) or called by the launcher."""

from __future__ import annotations

import os
import sys
import traceback
from typing import NoReturn

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


def run_and_leave() -> NoReturn:
    """Work, and end the process at once: with three ranks torch's own clean-up at the end aborts one now and then.

    Its host then fails a job that is done, and the other hosts wait five minutes for it.
    """
    code = 0
    try:
        run_job(quieter)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


if __name__ == "__main__":
    die_with_parent()
    run_and_leave()
