"""`teardown`: an account as it was before `bootstrap`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import INTERRUPTED
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.cleanup.models import Plan
    from pipeline.aws.removing.inventory import Contents

_SECONDS = 5.0  # between looks at what ends


def teardown(
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be removed.")] = False,
    stack: Annotated[
        str | None, typer.Option("--stack", help="Name of the stack, which is asked for unless it is given here.")
    ] = None,
) -> None:
    """Remove the installation from your AWS account.

    With all data in it: executions are stopped, endpoints, pipelines, model versions, images and the bucket's objects
    deleted, and the stack at last. All that goes is shown first, and the stack's name is asked for. Only what the stack
    made, or what has the project's name and tag, is touched. May be called again wherever it ended.
    """
    from pipeline.aws import inspection
    from pipeline.aws.cleanup import inventory as deployed
    from pipeline.aws.cleanup.planner import plan
    from pipeline.aws.removing.inventory import read
    from pipeline.cli.installing import identity_line, tell

    session = inspection.connect()
    tell(identity_line(session))
    contents, endpoints = read(session), plan(deployed.read(session))
    if contents.empty and not endpoints.removals:
        tell("there is nothing to remove")
        return
    _show(contents, endpoints)
    if dry_run:
        return
    _agree(stack)
    try:
        _remove(session, contents, endpoints)
    except KeyboardInterrupt:
        tell("\nleft: `bincount teardown` goes on where this ended")
        raise typer.Exit(INTERRUPTED) from None
    _tell_what_stays()


def _show(contents: Contents, endpoints: Plan) -> None:
    from pipeline.cli.tables import print_table

    print_table(("plan", "what", "name", "note"), [*_rows(contents, endpoints)], "")


def _rows(contents: Contents, endpoints: Plan) -> Iterator[tuple[str, str, str, str]]:
    for arn in contents.running:
        yield "stop", "execution", arn.rpartition("/")[2], ""
    for name in contents.pipelines:
        yield "delete", "pipeline", name, "with the history of its executions"
    for one in endpoints.removals:
        yield "delete", str(one.key.kind), one.key.name, one.state
    for kept in endpoints.kept:
        yield "keep", str(kept.key.kind), kept.key.name, kept.reason
    yield from _stack_rows(contents)


def _stack_rows(contents: Contents) -> Iterator[tuple[str, str, str, str]]:
    for name in contents.groups:
        yield "delete", "model group", name, "with all versions"
    for name in contents.repositories:
        yield "delete", "repository", name, "with all images"
    for name in contents.buckets:
        yield "delete", "bucket", name, "with all objects and their versions: photos, models, reports"
    for name in contents.logs:
        yield "delete", "log group", name, ""
    for given in contents.attached:
        yield "detach", "policy", given.policy.rpartition("/")[2], f"from {given.kind} {given.name}"
    if contents.stack is not None:
        from pipeline.aws.stack import STACK

        yield "delete", "stack", STACK, f"{contents.resources} resources, {contents.stack}"


def _agree(given: str | None) -> None:
    """Go on only where the stack's name was given or is typed. Raises UserError and typer.Exit."""
    from pipeline.aws.stack import STACK

    if given is None:
        if not sys.stdin.isatty():
            raise UserError(
                f"nothing is changed: it would ask first, and there is no terminal; --stack {STACK} goes on"
            )
        try:
            given = typer.prompt(f"This cannot be undone. Type {STACK} to remove all of it", err=True)
        except typer.Abort:
            typer.echo("\nnothing is changed", err=True)
            raise typer.Exit(INTERRUPTED) from None
    if given != STACK:
        raise UserError(f"nothing is changed: {given!r} is not the stack's name, which is {STACK}")


def _remove(session: boto3.Session, contents: Contents, endpoints: Plan) -> None:
    from pipeline.aws.cleanup import inventory as deployed
    from pipeline.aws.cleanup.executor import execute
    from pipeline.aws.cleanup.planner import plan
    from pipeline.aws.installing.removal import delete_stack
    from pipeline.aws.removing.executor import detach, empty, stop_pipelines
    from pipeline.cli.installing import tell

    stop_pipelines(session, contents, tell, seconds=_SECONDS)
    # As it is now: an execution that was just stopped may have deployed once more.
    going = plan(deployed.read(session)) if contents.running else endpoints
    failed = 0
    for result in execute(session, going, seconds=_SECONDS, tell=tell):
        tell(f"not deleted: {result.key}: {result.error}" if result.error else f"deleted {result.key}")
        failed += bool(result.error)
    if failed:
        raise UserError(f"{failed} could not be deleted, and the stack stays for now: `bincount teardown` tries again")
    empty(session, contents, tell)
    detach(session, contents, tell)
    delete_stack(session, tell)


def _tell_what_stays() -> None:
    from pipeline.cli.installing import tell

    tell(
        "removed; what stays, and costs nothing by the hour: the jobs' logs in /aws/sagemaker/ProcessingJobs and "
        "TrainingJobs, which other jobs of the account share, records of past jobs, model groups that others made"
    )
