"""`endpoint reconcile`: what a lost event would have done."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipeline.cli.options import OnlyProfileOption, Target, TargetOption
from pipeline.errors import UserError


def reconcile(
    name: Annotated[str | None, typer.Argument(help="An endpoint or a group; all unless given.")] = None,
    *,
    profile: OnlyProfileOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Have the deploy function compare endpoints with the registry and do what is missing.

    What a lost event would have done: deploy what was approved, test what was deployed, go back to what worked.
    """
    from pipeline.aws import functions
    from pipeline.cli.endpoint_lookup import find_groups
    from pipeline.cli.lookup import open_session

    session = open_session(target)
    groups = find_groups(session, target, profile, name)
    if not groups:
        raise UserError("there is no model yet: `bincount run` registers one")
    for group in groups:
        for stage, done in functions.reconcile(session, group).items():
            typer.echo(f"{group}-{stage}: {in_words(done)}")


def in_words(done: Any) -> str:  # noqa: ANN401
    """Say what the function did about an endpoint, from its answer for one stage."""
    if not isinstance(done, dict):
        return str(done)
    return ", ".join(f"{name} {value}" for name, value in done.items() if value not in {None, ""})
