"""`images list`, `images build`, `images push`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import (
    INTERRUPTED,
    JsonOption,
    ProfileOption,
    SetOption,
    Target,
    TargetOption,
    examples,
    pairs,
)

if TYPE_CHECKING:
    from pipeline.building.engine import Engine
    from pipeline.building.images import Image

HEAD = ("step", "here", "in ECR", "tag", "image")
SPARE = ("tag",)
app = typer.Typer(
    help="Build the steps' container images, and push them to ECR.",
    no_args_is_help=True,
    rich_markup_mode=None,
    epilog=examples("bincount images build", "bincount images push"),
)


class ImageStep(StrEnum):
    """The steps that have images; trials run in train's."""

    SPLIT = "split"
    TRAIN = "train"
    EVALUATE = "evaluate"
    INFERENCE = "inference"


StepsArgument = Annotated[
    list[ImageStep], typer.Argument(metavar="[STEP]", help="split, train, evaluate, inference; all unless given.")
]
EngineOption = Annotated[
    str | None,
    typer.Option(
        "--engine",
        envvar="BINCOUNT_ENGINE",
        help="The container engine's program, with options for all its calls if it needs some; "
        "docker or podman unless given, whichever works.",
    ),
]


@app.command("list", epilog=examples("bincount images list", "bincount images list --target aws --json"))
def list_(
    *,
    profile: ProfileOption = "local",
    set_: SetOption = [],  # noqa: B006 - typer copies it
    engine: EngineOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """List the images of a profile's definition, and where each is: built here, in ECR.

    A tag stands for what the image holds, and changes when that does.
    """
    images = _images(profile, set_, target, [])
    here, absent = _here(images, engine), _absent(images, target)
    if json:
        import json as json_

        shown = [
            {
                "step": one.step,
                "image": one.uri,
                "here": None if here is None else one.uri in here,
                "in_ecr": None if absent is None else one.uri not in absent,
            }
            for one in images
        ]
        typer.echo(json_.dumps(shown, indent=2))
        return
    from pipeline.cli.tables import print_table

    yes = {True: "yes", False: "no"}
    print_table(
        HEAD,
        (
            (
                one.step,
                "?" if here is None else yes[one.uri in here],
                "?" if absent is None else yes[one.uri not in absent],
                one.tag,
                one.uri,
            )
            for one in images
        ),
        "",
        spare=SPARE,
    )


@app.command(
    epilog=examples(
        "bincount images build",
        "bincount images build train --target aws --set images.training_base=pytorch:2.14",
        "bincount images build --engine podman --engine-args '--network host'",
    )
)
def build(
    steps: StepsArgument = [],  # noqa: B006 - typer copies it
    *,
    profile: ProfileOption = "local",
    set_: SetOption = [],  # noqa: B006 - typer copies it
    engine: EngineOption = None,
    engine_args: Annotated[
        str,
        typer.Option(envvar="BINCOUNT_BUILD_ARGS", help="More arguments for the engine's build, as a shell's line."),
    ] = "",
    target: TargetOption = Target.LOCAL,
) -> None:
    """Build the images that are not here yet, for 64-bit x86.

    What the engine prints is shown, and kept in images/<tag>.log of the home. The base images are the settings
    images.base and images.training_base; another base is another tag, so compile and run with the same ones.
    """
    import shlex

    from pipeline.building.builder import build as build_image
    from pipeline.building.engine import find
    from pipeline.errors import UserError
    from pipeline.local.home import Home

    try:
        extra = shlex.split(engine_args)
    except ValueError as error:
        raise UserError(f"--engine-args: {error}") from None
    images, found = _images(profile, set_, target, steps), find(engine)
    with _interruptible():
        for image in images:
            typer.echo(f"{image}", err=True)
            built = build_image(image, found, Home.find().root / "images", _show, extra=extra)
            typer.echo(f"{'built' if built else 'here'}\t{image.uri}")


@app.command(epilog=examples("bincount images push", "bincount images push inference --profile prod"))
def push(
    steps: StepsArgument = [],  # noqa: B006 - typer copies it
    *,
    profile: ProfileOption = "local",
    set_: SetOption = [],  # noqa: B006 - typer copies it
    engine: EngineOption = None,
) -> None:
    """Push the images that ECR has not yet to the repositories of your AWS account.

    Build them first, with --target aws: their names hold the account.
    """
    from pipeline.building.engine import find
    from pipeline.building.pusher import push as push_images
    from pipeline.cli.lookup import open_session

    images = _images(profile, set_, Target.AWS, steps)
    with _interruptible():
        pushed = {image.uri for image in push_images(images, find(engine), open_session(Target.AWS), _show)}
    for image in images:
        typer.echo(f"{'pushed' if image.uri in pushed else 'in ECR'}\t{image.uri}")


def _images(profile: str, set_: list[str], target: Target, steps: list[ImageStep]) -> list[Image]:
    """Return the images of the settings, in the account of the target; the user's own settings come on top."""
    from pipeline.building.images import images_of
    from pipeline.settings import load_settings

    overrides = pairs(set_, "--set")
    if target is Target.AWS:
        from pipeline.aws.repositories import account
        from pipeline.cli.lookup import open_session

        number, region = account(open_session(target))
        overrides = {"aws.account": number, "aws.region": region, **overrides}
    return [image for image in images_of(load_settings(profile, overrides)) if not steps or image.step in steps]


def _here(images: list[Image], wanted: str | None) -> set[str] | None:
    """Return the images that the engine has; None where no engine works."""
    from pipeline.building.engine import find
    from pipeline.errors import UserError

    try:
        engine: Engine = find(wanted)
    except UserError as error:
        typer.echo(str(error), err=True)
        return None
    return {image.uri for image in images if engine.has(image.uri)}


def _absent(images: list[Image], target: Target) -> list[str] | None:
    """Return the images that ECR has not; None where it is not asked."""
    if target is not Target.AWS:
        return None
    from pipeline.aws.repositories import missing
    from pipeline.cli.lookup import open_session

    return missing(open_session(target), [image.uri for image in images])


def _show(line: str) -> None:
    typer.echo(f"  {line}", err=True)


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        typer.echo("\nleft: the same command goes on where this ended", err=True)
        raise typer.Exit(INTERRUPTED) from None
