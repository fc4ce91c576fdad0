"""The wait for a deployment's verdict, before the user's eyes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pipeline.cli.options import Target
from pipeline.cli.rows import clock, one_line
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.deployment import Deployment

_SECONDS = {Target.LOCAL: 0.3, Target.AWS: 10.0}  # between looks
_TIMEOUT = {Target.LOCAL: 120.0, Target.AWS: 1800.0}


def wait_for_verdict(
    session: boto3.Session, target: Target, package_arn: str, stage: str, *, anew: bool = False
) -> Deployment:
    """Show how a version's deployment goes on, on stderr, until its verdict is there, and return it.

    Args:
        session: who answers.
        target: where it runs; says how often to look and how long.
        package_arn: the version.
        stage: staging or production.
        anew: an earlier Passed does not count, unless the endpoint serves the version.

    Raises:
        UserError: the time is up, or the service refuses.
    """
    from pipeline.aws.deployment import wait_for
    from pipeline.cli.following import outage_of

    last: Deployment | None = None
    every, timeout = _SECONDS[target], _TIMEOUT[target]
    with _teller() as tell:
        outage = outage_of(session, target, package_arn, lambda text: tell(text or "AWS answers again"))
        for last in wait_for(session, package_arn, stage, anew=anew, every=every, timeout=timeout, outage=outage):
            tell(progress_text(last))
    if last is None or not (last.failed or (last.passed and (last.serves or not anew))):
        asks = f"`bincount endpoint reconcile{' --target aws' if target is Target.AWS else ''}` asks again"
        raise UserError(f"{stage}: no verdict within {clock(timeout)}, {_state(last)}: {asks}")
    return last


@contextmanager
def _teller() -> Iterator[Callable[[str], None]]:
    """Give the function that shows where it stands: a moving line in a terminal, a line for each change elsewhere."""
    from rich.console import Console

    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True)
        return
    from rich.markup import escape

    with console.status("waiting ...") as status:
        yield lambda text: status.update(escape(text))


def progress_text(deployment: Deployment) -> str:
    """Say where a deployment stands."""
    comes_back = deployment.status == "Passed" and not (deployment.passed and deployment.serves)
    word = "comes back" if comes_back else deployment.status.lower() or "not deployed yet"
    return f"{deployment.stage:<10} version {deployment.version} {word}, {_state(deployment)}"


def verdict_text(deployment: Deployment, seconds: float | None = None) -> str:
    """Say what a deployment came to: `seconds` are how long it took."""
    if deployment.passed:
        took = f" ({clock(seconds)})" if seconds is not None else ""
        return f"{_state(deployment)}, smoke test passed{took}"
    if not deployment.failed:
        return f"{deployment.status.lower() or 'not deployed yet'}, {_state(deployment)}"
    if deployment.serving not in {None, deployment.version}:
        rest = f"version {deployment.serving} stays in service"
    else:
        rest = _state(deployment)
    word = "rolled back" if deployment.status == "RolledBack" else "failed"
    return f"{word}: {one_line(deployment.reason) or 'no reason is known'}; {rest}"


def _state(deployment: Deployment | None) -> str:
    if deployment is None:
        return "the service throttles"
    return (
        f"{deployment.endpoint} {'is ' + deployment.endpoint_status if deployment.endpoint_status else 'is not there'}"
    )
