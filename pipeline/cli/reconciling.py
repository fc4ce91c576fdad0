"""`endpoint reconcile`: what a lost event would have done."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from pipeline.cli.options import OnlyProfileOption, Target, TargetOption
from pipeline.cli.rows import one_line
from pipeline.errors import UserError

# What the deploy function answers under Actions.
_WORDS = {
    "wait": "somebody is at work on it",
    "none": "nothing to do",
    "keep": "kept as it is",
    "settle": "all is as it should be",
    "test": "tested what it serves",
    "judge": "wrote the verdict",
    "create": "creates it with version {version}",
    "update": "updates it to version {version}",
    "again": "will make it again",
    "delete": "deletes it",
}


def reconcile(
    name: Annotated[str | None, typer.Argument(help="An endpoint or a group; all unless given.")] = None,
    *,
    profile: OnlyProfileOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Have the deploy function put endpoints right.

    It compares them with the registry and does what a lost event would have done: deploy what was approved, test what
    was deployed, go back to what worked.
    """
    from pipeline.aws import functions
    from pipeline.cli.endpoint_lookup import find_groups
    from pipeline.cli.lookup import open_session

    session = open_session(target)
    groups = find_groups(session, target, profile, name)
    if not groups:
        raise UserError("there is no version yet: `bincount run` registers one")
    for group in groups:
        for stage, done in functions.reconcile(session, group).items():
            typer.echo(f"{group}-{stage}: {in_words(done)}")


def in_words(done: Any) -> str:  # noqa: ANN401
    """Say what the function did about an endpoint and how that stands now, from its answer for one stage."""
    try:
        actions = [_WORDS.get(kind, kind).format(version=done["DesiredVersion"]) for kind in done["Actions"].split()]
        status, version, reason = done["EndpointStatus"], done["Version"], done["Reason"]
    except (KeyError, TypeError, AttributeError):
        raise UserError(f"the deploy function answers with something else: {str(done)[:200]}") from None
    state = f"{status} with version {version}" if status and version else status or "there is no endpoint"
    return "; ".join(filter(None, (", ".join(actions), state, one_line(reason))))
