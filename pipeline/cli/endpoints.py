"""`endpoints`, and the verbs about one of them: `endpoint predict`, `endpoint rollback`, `endpoint reconcile`."""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import JsonOption, OnlyProfileOption, Target, TargetOption, examples
from pipeline.cli.reconciling import reconcile
from pipeline.cli.rollback import rollback

if TYPE_CHECKING:
    from pipeline.aws.endpoints import Endpoint

HEAD = ("endpoint", "stage", "status", "version", "instances", "verdict", "age", "address")
SPARE = ("stage", "age", "instances")
app = typer.Typer(
    help="Send photos to an endpoint, roll it back, or put it right.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=examples("bincount endpoint predict staging photo.jpg", "bincount endpoint rollback production"),
)


def endpoints(
    *, profile: OnlyProfileOption = None, json: JsonOption = False, target: TargetOption = Target.LOCAL
) -> None:
    """List the endpoints: what each serves, and its smoke test.

    3 -> 4 under `version` means that version 4 is being deployed. A narrow terminal shows fewer columns; `--json` and
    a pipe give all.
    """
    from pipeline.cli.endpoint_lookup import endpoints_of
    from pipeline.cli.lookup import open_session

    found = endpoints_of(open_session(target), target, profile)
    where = _addresses([one.name for one in found]) if target is Target.LOCAL else {}
    if json:
        import json as json_
        from dataclasses import asdict

        shown = [
            {**asdict(one), "created": one.created.isoformat(), "addresses": where.get(one.name, [])} for one in found
        ]
        typer.echo(json_.dumps(shown, indent=2))
        return
    from pipeline.cli.tables import print_table

    now = datetime.now(UTC)
    rows = (row(one, where.get(one.name, []), now) for one in found)
    nothing = "there is no endpoint: `bincount run` deploys to staging, `bincount models approve` further"
    print_table(HEAD, rows, nothing, spare=SPARE)


def _addresses(names: list[str]) -> Mapping[str, list[str]]:
    from pipeline.local.addresses import addresses
    from pipeline.local.home import Home

    return {name: addresses(Home.find(), name) for name in names}


def row(one: Endpoint, where: list[str], now: datetime) -> tuple[str, ...]:
    """Return the cells of an endpoint."""
    from pipeline.cli.models import age

    served = "" if one.version is None else str(one.version)
    return (
        one.name,
        one.stage,
        f"{one.status}: {one.reason}" if one.status == "Failed" and one.reason else one.status,
        served if one.pending is None else f"{served or 'none'} -> {one.pending}",
        str(one.instances) if one.instances == one.desired else f"{one.instances} of {one.desired}",
        one.verdict.status,
        age(now - one.created),
        " ".join(where),
    )


@app.command(
    epilog=examples(
        "bincount endpoint predict bincount-demo-staging photo.jpg",
        "bincount endpoint predict production photos/*.jpg --json --target aws",
    )
)
def predict(
    name: Annotated[str, typer.Argument(help="Name of the endpoint, or its stage where only one group has it.")],
    photos: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Photos of bins.", readable=False)],
    *,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Have an endpoint count the items in photos.

    The exit code is 1 when one of them cannot be read, or the model does not take it.
    """
    from pipeline.aws.endpoints import BODY_BYTES, RefusedError
    from pipeline.aws.endpoints import predict as send
    from pipeline.cli.answers import print_answers
    from pipeline.cli.endpoint_lookup import find_endpoint
    from pipeline.cli.lookup import open_session

    session = open_session(target)
    endpoint = find_endpoint(session, target, name).name
    answers, refused = [], False
    for photo in photos:
        try:
            with photo.open("rb") as file:
                content = file.read(BODY_BYTES + 1)
        except OSError as error:
            refused = True
            answers.append({"file": str(photo), "error": str(error.strerror)})
            continue
        try:
            answer = send(session, endpoint, content, content_type(photo))
        except RefusedError as error:
            refused, answer = True, {"error": str(error)}
        answers.append({"file": str(photo), **answer})
    print_answers(answers, json=json)
    raise typer.Exit(1 if refused else 0)


def content_type(photo: Path) -> str:
    """Return the type that the photo's name says; the model looks at what is in it."""
    guessed = mimetypes.guess_type(photo.name)[0] or ""
    return guessed if guessed.startswith("image/") else "application/x-image"


app.command(
    epilog=examples(
        "bincount endpoint rollback production",
        'bincount endpoint rollback bincount-demo-staging --note "miscounts towels" --yes',
    )
)(rollback)
app.command(epilog=examples("bincount endpoint reconcile", "bincount endpoint reconcile --profile prod --target aws"))(
    reconcile
)
