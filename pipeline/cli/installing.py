"""`bootstrap`: what bincount needs in an AWS account, made or brought up to date."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.asking import YesOption, ask, require_answer
from pipeline.cli.options import INTERRUPTED, pairs

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.installing.changesets import ChangeSet

_PROVIDER = "OidcProviderArn"


def bootstrap(
    *,
    parameter: Annotated[
        list[str],
        typer.Option(
            "--parameter",
            "-p",
            metavar="KEY=VALUE",
            help="A parameter of the stack, as Email=me@example.com; may be repeated. Others keep their values.",
        ),
    ] = [],  # noqa: B006 - typer copies it
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")] = False,
    yes: YesOption = False,
) -> None:
    """Make or update what bincount needs in your AWS account.

    Bucket, image repositories, roles, functions, events, alarms: the stack of infra/template.yaml. What would be done
    is shown first. May be called again at any time, and by several at once: one goes on, the others are told.
    """
    from pipeline.aws import inspection
    from pipeline.aws.installing.changesets import propose, provider

    given = pairs(parameter, "-p")
    session = inspection.connect()
    tell(identity_line(session))
    _delete_unusable(session, yes, dry_run=dry_run)
    if not dry_run:
        require_answer(yes)
    template = _template()
    # As it is now: the one that the account had may have been deleted, or made, since.
    proposed = propose(session, template, {_PROVIDER: provider(session), **given})
    if proposed is None:
        tell("the stack is as the template says")
    elif not _agreed(session, proposed, yes, dry_run=dry_run) or not _done(session, proposed):
        return
    _finish(session, dry_run=dry_run)


def tell(line: str) -> None:
    """Print a line beside the command's output."""
    typer.echo(line, err=True)


def identity_line(session: boto3.Session) -> str:
    """Return who the caller is, in which account and region. Raises UserError: nobody, or nowhere."""
    from pipeline.aws.inspection import caller

    account, arn, region = caller(session)
    return f"account {account}, region {region}, as {arn}"


def _template() -> str:
    from pipeline.template import template_body

    return template_body()


def _delete_unusable(session: boto3.Session, yes: bool, *, dry_run: bool) -> None:
    """Delete what a failed bootstrap or teardown left of the stack, where the user agrees."""
    from pipeline.aws.installing.removal import delete_stack, unusable
    from pipeline.errors import UserError

    status = unusable(session)
    if status is None:
        return
    tell(f"the stack is {status}: nothing can be done with it but to delete it")
    if dry_run:
        raise UserError("the stack must be deleted before it can be made: `bincount bootstrap` without --dry-run asks")
    ask("Delete it?", yes)
    delete_stack(session, tell)


def _agreed(session: boto3.Session, proposed: ChangeSet, yes: bool, *, dry_run: bool) -> bool:
    """Show what would be done, and ask; what is not to be done is taken back."""
    from pipeline.aws.installing.changesets import discard
    from pipeline.cli.tables import print_table

    rows = [(one.action, one.name, one.kind, _replacement(one.replacement)) for one in proposed.changes]
    print_table(("action", "name", "type", "replacement"), rows, "")
    try:
        if not dry_run:
            ask(f"Do {'these' if len(rows) > 1 else 'this'}?", yes)
    except (typer.Exit, KeyboardInterrupt):
        discard(session, proposed.arn)
        raise
    if dry_run:
        discard(session, proposed.arn)
    return not dry_run


def _replacement(word: str) -> str:
    return {"True": "made anew", "Conditional": "perhaps made anew"}.get(word, "")


def _done(session: boto3.Session, proposed: ChangeSet) -> bool:
    from pipeline.aws.installing.changesets import execute, protect
    from pipeline.aws.installing.progress import follow, seen

    last = seen(session, proposed.stack)
    execute(session, proposed)
    try:
        follow(session, proposed.stack, last, tell)
    except KeyboardInterrupt:
        tell("left while CloudFormation goes on: `bincount bootstrap` again once it has ended")
        raise typer.Exit(INTERRUPTED) from None
    protect(session, on=True)
    return True


def _finish(session: boto3.Session, *, dry_run: bool) -> None:
    """Put the functions' code, print the outputs, say what to do next."""
    from pipeline.aws.function_code import changed, update
    from pipeline.aws.stack import installation
    from pipeline.cli.tables import print_pairs

    for name in changed(session):
        tell(f"{'would update' if dry_run else 'updating'} the code of the function {name}")
        if not dry_run:
            update(session, name)
    print_pairs(_outputs(installation(session).outputs))
    tell("next: `bincount run --profile dev --target aws --dry-run` shows what a first execution would do and cost")


def _outputs(outputs: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(key, value or "none") for key, value in sorted(outputs.items())]
