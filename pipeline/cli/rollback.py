"""`endpoint rollback`: an earlier version serves again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.asking import YesOption, ask
from pipeline.cli.options import INTERRUPTED, Target, TargetOption

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.rollback import RollBack


def rollback(
    name: Annotated[str, typer.Argument(help="Name of the endpoint, or its stage where only one group has it.")],
    *,
    note: Annotated[str | None, typer.Option("--note", help="Why; kept in the version that is taken away.")] = None,
    yes: YesOption = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for the earlier version.")] = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Take an endpoint back to another version.

    To the newest one that may serve. In production the live version is rejected in the registry; in staging it is
    marked as rolled back. The exit code is 0 only when the other version serves, or with --no-wait when it was asked
    for.
    """
    from pipeline.aws.models import PRODUCTION
    from pipeline.aws.rollback import begin, prepare
    from pipeline.cli.endpoint_lookup import find_endpoint
    from pipeline.cli.lookup import open_session

    session = open_session(target)
    chosen = prepare(session, find_endpoint(session, target, name))
    live, earlier = chosen.live.number, chosen.earlier.number
    means = "is rejected" if chosen.stage == PRODUCTION else "is marked as rolled back"
    typer.echo(f"{chosen.endpoint}: from version {live}, which {means}, to version {earlier}", err=True)
    ask(f"Roll {chosen.endpoint} back to version {earlier}?", yes)
    begin(session, chosen, note)
    if not no_wait:
        raise typer.Exit(0 if _serves(session, target, chosen) else 1)


def _serves(session: boto3.Session, target: Target, chosen: RollBack) -> bool:
    """Show how it goes on until the other version serves or was turned down. Raises UserError: the time is up."""
    from pipeline.cli.waiting import verdict_text, wait_for_verdict

    try:
        ended = wait_for_verdict(session, target, chosen.earlier.arn, chosen.stage, anew=True)
    except KeyboardInterrupt:
        typer.echo("\nleft: the deployment goes on; `bincount endpoints` tells", err=True)
        raise typer.Exit(INTERRUPTED) from None
    typer.echo(f"{ended.stage:<10} version {ended.version}: {verdict_text(ended)}")
    return ended.passed and ended.serves
