"""An execution before the user's eyes until it ends: as a picture in a terminal, else line by line."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from pipeline.cli.options import Target
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Execution
    from pipeline.aws.outages import Outage

SECONDS = {Target.LOCAL: 0.3, Target.AWS: 5.0}  # between looks, at the start
_PATIENCE, _LONGEST = 0.01, 2.0  # of the time that has been watched may pass before a change is seen; seconds at most
_HERTZ = 8

Show = Callable[["Execution"], None]


class LeftError(Exception):
    """The user left before the execution ended."""


def follow(session: boto3.Session, target: Target, arn: str, *, plain: bool, stops: bool) -> Execution:
    """Show the execution until it has ended, and return it.

    Args:
        session: who answers.
        target: where it runs; says how often to look.
        arn: the execution.
        plain: lines, even in a terminal.
        stops: Ctrl-C stops the execution and waits for its end; a second one leaves. Else the first one leaves.

    Raises:
        LeftError: the user left.
        UserError: the service refuses.
    """
    from pipeline.aws.executions import stop, watch
    from pipeline.aws.polling import insist

    last: Execution | None = None
    with _display(session, arn, plain) as (show, say):
        every, outage = SECONDS[target], outage_of(session, target, arn, say)
        try:
            for last in watch(session, arn, every, patience(), outage):
                show(last)
        except KeyboardInterrupt:
            if not stops:
                raise LeftError from None
            say("stopping: jobs get time to write a checkpoint (Ctrl-C again leaves at once)")
            try:
                _quietly(lambda: insist(lambda: stop(session, arn), every, time.sleep, outage))
                for last in watch(session, arn, every, outage=outage):
                    show(last)
            except KeyboardInterrupt:
                raise LeftError from None
    if last is None:
        raise UserError(f"{arn} has no state")
    return last


def patience(
    sleep: Callable[[float], None] = time.sleep, clock: Callable[[], float] = time.monotonic
) -> Callable[[float], None]:
    """Return a sleep that lasts longer the longer one has watched: a look takes a core from this machine's jobs.

    Of an execution with a search, three looks a second took 5 % of a core.
    """
    begun = clock()
    return lambda seconds: sleep(max(seconds, min(_LONGEST, (clock() - begun) * _PATIENCE)))


def outage_of(session: boto3.Session, target: Target, arn: str, say: Callable[[str], None]) -> Outage | None:
    """Return what a watch on AWS gets over; this machine answers always."""
    if target is Target.LOCAL:
        return None
    from pipeline.aws.outages import Outage

    return Outage(session, arn, say, attended=sys.stdin.isatty())


def _quietly(action: Callable[[], None]) -> None:
    try:
        action()
    except UserError:
        return  # it has ended in the meantime, which is all that was wanted


@contextmanager
def _display(session: boto3.Session, arn: str, plain: bool) -> Iterator[tuple[Show, Callable[[str], None]]]:
    if plain or not sys.stdout.isatty():
        yield _lines(), lambda text: print(text or "AWS answers again", file=sys.stderr, flush=True)
        return
    from rich.console import Console
    from rich.live import Live

    from pipeline.aws.inspection import definition
    from pipeline.cli.live import Picture
    from pipeline.cli.rows import branches

    declared = definition(session, arn)
    picture = Picture(branches(declared))
    with _no_echo(), Live(get_renderable=picture.render, console=Console(), refresh_per_second=_HERTZ) as live:

        def show(execution: Execution) -> None:
            picture.notes |= gate_notes(session, execution, declared, picture.notes)
            picture.execution = execution

        def say(text: str) -> None:
            picture.message = text

        yield show, say
        picture.message = ""
        live.refresh()


@contextmanager
def _no_echo() -> Iterator[None]:
    """Keep the terminal from writing `^C` into the picture, which would shift it by a line."""
    if not sys.stdin.isatty():
        yield
        return
    import termios

    before = termios.tcgetattr(sys.stdin)
    quiet = [*before]
    quiet[3] &= ~termios.ECHOCTL  # the local flags
    termios.tcsetattr(sys.stdin, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, before)


def gate_notes(
    session: boto3.Session, execution: Execution, declared: dict[str, Any], known: dict[str, str]
) -> dict[str, str]:
    """Return what conditions compared, once they have."""
    from pipeline.cli.gate import comparisons

    decided = (step.name for step in execution.steps if step.outcome is not None and step.name not in known)
    return {name: ", ".join(map(str, comparisons(session, execution, declared, name))) for name in decided}


def _lines() -> Show:
    from pipeline.cli.plain import changes

    before: list[Execution] = []

    def show(execution: Execution) -> None:
        for line in changes(before[-1] if before else None, execution, datetime.now(UTC)):
            print(line, flush=True)
        before[:] = [execution]

    return show
