"""`models approve` and `models reject`: somebody decides, and production follows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.asking import YesOption, ask, require_answer
from pipeline.cli.options import INTERRUPTED, JsonOption, OnlyProfileOption, Target, TargetOption
from pipeline.cli.versions import VersionArgument
from pipeline.errors import UserError

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.deployment import Deployment
    from pipeline.aws.models import Version

NoteOption = Annotated[str | None, typer.Option("--note", help="Why; kept in the version, with who and when.")]


def approve(
    version: VersionArgument,
    *,
    note: NoteOption = None,
    yes: YesOption = False,
    without_staging: Annotated[
        bool,
        typer.Option("--without-staging", help="Production takes it although staging has not passed; kept, with who."),
    ] = False,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Do not wait for production.")] = False,
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Approve a version: production takes it.

    Shows its figures and how they differ from the champion's, asks, and waits until production serves the version. The
    exit code is 0 only when it does. Approving again tries again.
    """
    from pipeline.aws import approval, registry
    from pipeline.aws.deployment import after_approval
    from pipeline.cli.lookup import find_version, open_session
    from pipeline.cli.tables import print_pairs

    require_answer(yes)
    session = open_session(target)
    found = find_version(session, target, profile, version)
    others = [one for one in registry.approved(session, found.group) if one.number != found.number]
    print_pairs(summary(session, found, others), "bold", err=True)
    then = after_approval(found, override=without_staging)
    refuse_failed(then)
    if warning := staging_warning(then):
        typer.echo(f"warning: {warning}", err=True)
    ask(f"Approve version {found.number} of {found.group} for production?", yes)
    approval.approve(session, found, note, override=without_staging)
    typer.echo(f"version {found.number} of {found.group} is Approved", err=True)
    ended = None if no_wait else _follow(lambda: _to_production(session, target, then, others))
    _tell(found, "Approved", ended, json=json)
    if ended is not None and ended.failed:
        typer.echo(f"it is still Approved: `bincount models reject {found.number}` takes that back", err=True)
    raise typer.Exit(0 if no_wait or (ended is not None and ended.passed) else 1)


def reject(
    version: VersionArgument,
    *,
    note: NoteOption = None,
    yes: YesOption = False,
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Reject a version.

    Where production serves it, the newest other approved version takes its place; without one it stays in service.
    """
    from pipeline.aws import approval, registry
    from pipeline.aws.deployment import production_takes, serving
    from pipeline.aws.models import OPEN, PRODUCTION
    from pipeline.cli.lookup import find_version, open_session

    require_answer(yes)
    session = open_session(target)
    found = find_version(session, target, profile, version)
    others = [one for one in registry.approved(session, found.group) if one.number != found.number]
    served = serving(session, found.group, PRODUCTION) == found.number
    follower = production_takes(others) if served or found.verdict(PRODUCTION).status in OPEN else None
    typer.echo(rejection_text(found, follower, served=served), err=True)
    ask(f"Reject version {found.number} of {found.group}?", yes)
    approval.reject(session, found, note)
    typer.echo(f"version {found.number} of {found.group} is Rejected", err=True)
    ended = None if follower is None else _follow(lambda: _replace(session, target, follower))
    _tell(found, "Rejected", ended, json=json)
    raise typer.Exit(0 if follower is None or (ended is not None and ended.passed) else 1)


def summary(session: boto3.Session, version: Version, others: list[Version]) -> Iterator[tuple[str, str]]:
    """Yield what to know before approving: the figures, the difference from the champion, what staging said.

    Args:
        session: who answers.
        version: to be approved.
        others: the other approved versions, the newest first.
    """
    from pipeline.aws.models import STAGING
    from pipeline.aws.registry import read_evaluation
    from pipeline.cli.outcome import local_path, score_text
    from pipeline.cli.versions import verdict_text

    yield "version", f"{version.number} of {version.group}: {version.status}"
    if score := score_text(read_evaluation(session, version.evaluation)):
        yield "score", score
    if others and not version.champion:
        yield "champion", _difference(session, version, others[0])
    else:
        yield "champion", "this version" if version.champion else "none yet: nothing to compare with"
    yield "staging", verdict_text(version.verdict(STAGING)) or "never asked for"
    if report := version.metadata.get("Report"):
        yield "report", local_path(report)


def _difference(session: boto3.Session, version: Version, champion: Version) -> str:
    from pipeline.cli.comparing import comparison, data_text, signed

    compared = comparison(session, version, champion)
    row = next((row for row in compared.rows if row.name == "macro_f1"), None)
    note = "" if compared.same_photos else data_text(version, champion, compared).removeprefix("warning: ")
    if row is None or row.difference is None:
        return f"version {champion.number}; {note or 'its difference is not known'}"
    gain = f"macro-F1 {signed(row.difference.value, row.difference.interval)} on version {champion.number}"
    return "; ".join(filter(None, (gain, row.verdict, note)))


def refuse_failed(version: Version) -> None:
    """Refuse a version that staging turned down: approved it would be the champion, and never in production.

    Raises:
        UserError: staging failed, nobody overrides it, and production never had the version.
    """
    from pipeline.aws.deployment import eligible
    from pipeline.aws.models import FAILED, STAGING

    verdict = version.verdict(STAGING)
    if verdict.status in FAILED and not eligible(version):
        reason = f" ({verdict.reason})" if verdict.reason else ""
        raise UserError(
            f"staging turned version {version.number} down{reason}: --without-staging approves it all the same"
        )


def staging_warning(version: Version) -> str:
    """Say that production will not take a version, or takes it although staging has not passed; else nothing."""
    from pipeline.aws.deployment import OVERRIDE
    from pipeline.aws.models import PASSED, STAGING

    status = version.verdict(STAGING).status
    if status == PASSED:
        return ""
    told = f"staging has not passed ({status or 'nobody deployed it there'})"
    if version.metadata.get(OVERRIDE):
        return f"{told}: production takes it all the same"
    return f"{told}: production takes it only once it has, or with --without-staging"


def rejection_text(version: Version, follower: Version | None, *, served: bool) -> str:
    """Say what rejecting a version will do."""
    told = f"version {version.number} of {version.group} is {version.status}"
    if follower is not None:
        place = "production serves it" if served else "it is on its way to production"
        return f"{told} and {place}: version {follower.number} takes its place"
    if served:
        return (
            f"{told} and production serves it: no other version may take its place, so it stays in service until one "
            "is approved"
        )
    return f"{told}; production does not serve it and stays as it is"


def _to_production(session: boto3.Session, target: Target, version: Version, others: list[Version]) -> Deployment:
    """Wait until production serves an approved version or has turned it down. Raises UserError: it never will."""
    from pipeline.aws.deployment import eligible, production_takes
    from pipeline.aws.models import OPEN, PRODUCTION, STAGING
    from pipeline.cli.waiting import wait_for_verdict

    newer = production_takes(others)
    if newer is not None and newer.number > version.number:
        raise UserError(
            f"production stays with version {newer.number}, which is approved too and newer: "
            f"`bincount models reject {newer.number}` makes room"
        )
    if not eligible(version):
        if version.verdict(STAGING).status not in OPEN:
            raise UserError(f"production does not take version {version.number}: {staging_warning(version)}")
        staged = wait_for_verdict(session, target, version.arn, STAGING)
        if staged.failed:
            return staged
    return wait_for_verdict(session, target, version.arn, PRODUCTION)


def _replace(session: boto3.Session, target: Target, follower: Version) -> Deployment:
    from pipeline.aws.models import PRODUCTION
    from pipeline.cli.waiting import wait_for_verdict

    return wait_for_verdict(session, target, follower.arn, PRODUCTION, anew=True)


def _follow(wait: Callable[[], Deployment]) -> Deployment:
    try:
        return wait()
    except KeyboardInterrupt:
        typer.echo("\nleft: the deployment goes on; `bincount models` tells", err=True)
        raise typer.Exit(INTERRUPTED) from None


def _tell(version: Version, status: str, ended: Deployment | None, *, json: bool) -> None:
    """Print what came of it: on stdout, where a script reads it."""
    if json:
        import json as json_
        from dataclasses import asdict

        told = {"group": version.group, "number": version.number, "status": status}
        typer.echo(json_.dumps({**told, "deployment": asdict(ended) if ended is not None else None}, indent=2))
    elif ended is not None:
        from pipeline.cli.waiting import verdict_text

        typer.echo(f"{ended.stage:<10} version {ended.version}: {verdict_text(ended)}")
