"""`data synth` and `data import`, and the group that they and `pipeline.cli.fetching` are in."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli import fetching
from pipeline.cli.options import examples
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.data.importing import Import
    from pipeline.data.selection import Selection
    from pipeline.local.s3 import LocalS3

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Draw, fetch or import photos to train on.",
    epilog=examples(
        "bincount data synth photos", "bincount data fetch abid --ids file_list.json", "bincount data import abid"
    ),
)
app.command(
    epilog=examples(
        "bincount data fetch abid --ids file_list.json",
        "bincount data fetch s3://bincount-123456789012-us-east-1/data/abid --all --target aws",
    )
)(fetching.fetch)
app.command(
    epilog=examples(
        "bincount data manifest s3://bincount-123456789012-us-east-1/data/manifests --all --target aws",
        "bincount data manifest manifests --ids file_list.json --limit 1000",
    )
)(fetching.manifest)
_NAMED = 5


@app.command(epilog=examples("bincount data synth photos --photos 800 --seed 7"))
def synth(
    out: Annotated[Path, typer.Argument(help="Folder for bin-images/ and metadata/; made if need be.")],
    *,
    photos: Annotated[int, typer.Option("--photos", min=1, max=1_000_000, help="Number of photos.")] = 800,
    seed: Annotated[int, typer.Option("--seed", help="The same seed draws the same photos, byte for byte.")] = 7,
    size: Annotated[int, typer.Option("--size", min=64, max=2048, help="Longer side of a photo, pixels.")] = 320,
    broken: Annotated[
        int, typer.Option("--broken", min=0, max=10_000, help="Unusable photos besides: truncated, mislabelled, ...")
    ] = 0,
) -> None:
    """Draw labelled photos of bins, for demos and tests.

    Each shows 1 to 5 items that hide one another behind bands of tape. The layout is that of the Amazon Bin Image
    Dataset.
    """
    from pipeline.cli.progress import progress
    from pipeline.data.synth import synthesize

    with progress("drawing", photos + broken) as advance:
        for count in synthesize(out, photos, seed, size, broken):
            advance(count)
    where = str(out) if str(out).isprintable() else ascii(str(out))[1:-1]
    typer.echo(f"{photos + broken} photos in {where}: bincount run --profile demo -p DataUri={shlex.quote(where)}")


@app.command(
    "import",
    epilog=examples(
        "bincount data import abid --file-list abid/file_list.json",
        "bincount data import photos --labels labels.csv",
    ),
)
def import_(
    source: Annotated[
        Path, typer.Argument(help="Folder with bin-images/ and metadata/; any folder with --labels.", readable=False)
    ],
    *,
    file_list: Annotated[
        Path | None, typer.Option("--file-list", help="Take these ids alone: the usual subset's file_list.json.")
    ] = None,
    labels: Annotated[Path | None, typer.Option("--labels", help="CSV with the columns id, label[, group].")] = None,
    max_missing: Annotated[
        float | None,
        typer.Option(
            "--max-missing",
            min=0,
            max=1,
            help="Share of labels without a photo that is an error; no limit unless given.",
        ),
    ] = None,
) -> None:
    """Copy labelled photos to the local S3 and print their address.

    The address follows from their content. What is missing is counted and named. Importing the same photos again
    copies nothing.
    """
    from pipeline.local.home import Home
    from pipeline.local.s3 import LocalS3

    typer.echo(import_folder(source, LocalS3(Home.find().s3), labels, file_list, max_missing).uri)


def import_folder(
    source: Path,
    s3: LocalS3,
    labels: Path | None = None,
    file_list: Path | None = None,
    max_missing: float | None = None,
) -> Import:
    """Import a folder with a progress bar, and say on stderr what there was and what was missing. Raises UserError."""
    from pipeline.cli.progress import progress
    from pipeline.data.importing import Import
    from pipeline.data.selection import select

    chosen = select(source, labels, file_list)
    if max_missing is not None and len(chosen.missing) > max_missing * chosen.labels:
        raise UserError(
            f"{len(chosen.missing)} of {chosen.labels} labels have no photo, more than --max-missing {max_missing}: "
            f"{_some(chosen.missing)}"
        )
    work = Import(chosen, s3)
    with progress("importing", work.steps) as advance:
        for _ in work.run():
            advance(1)
    _report(chosen, work)
    return work


def _report(chosen: Selection, work: Import) -> None:
    copied = f"{work.copied} files copied" if work.copied else "all there already"
    typer.echo(f"{chosen.photos} photos, {chosen.labels} labels: {copied}", err=True)
    tell_amiss(chosen)


def tell_amiss(chosen: Selection) -> None:
    """Say on stderr what of a folder is missing or cannot be taken."""
    for names, what in (
        (chosen.missing, "labels have no photo"),
        (chosen.unlabelled, "photos have no label"),
        (chosen.skipped, "files cannot be read or named"),
    ):
        if names:
            typer.echo(f"{len(names)} {what}: {_some(names)}", err=True)


def _some(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
