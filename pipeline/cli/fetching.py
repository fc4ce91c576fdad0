"""`data fetch` and `data manifest`: the Amazon Bin Image Dataset from its public bucket, copied or read in place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pipeline.cli.options import INTERRUPTED, Target, TargetOption
from pipeline.errors import UserError

if TYPE_CHECKING:
    from pipeline.aws.fetching import Outcome
    from pipeline.aws.places import Place
    from pipeline.aws.public_bins import PublicBins
    from pipeline.data.abid import Item

_TYPICAL_SPEED = 100e6 / 8  # bytes a second of a line of 100 Mbit/s

ToArgument = Annotated[str, typer.Argument(help="A folder, made if need be, or s3://bucket/prefix.")]
IdsOption = Annotated[
    Path | None,
    typer.Option("--ids", help="Which photos: ids by label (the usual subset's file_list.json), or an id a line."),
]
AllOption = Annotated[bool, typer.Option("--all", help="All 535,234 photos, about 36 GB.")]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="No more than so many, the first ones.")]
MaxMissingOption = Annotated[
    float | None,
    typer.Option(
        "--max-missing", min=0, max=1, help="Share of photos not to be had that is an error; no limit unless given."
    ),
]


def fetch(
    to: ToArgument,
    *,
    ids: IdsOption = None,
    all_: AllOption = False,
    limit: LimitOption = None,
    max_missing: MaxMissingOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Fetch photos and records of the Amazon Bin Image Dataset.

    They come from its public bucket, for which no credentials are needed, to a folder or a bucket: this machine's, or
    with `--target aws` one of your account. Called again, it goes on where it was. What cannot be had is counted, and
    named in missing.txt.
    """
    from pipeline.aws.places import MISSING, missing_text

    source = _source()
    items, missing = _wanted(source, ids, limit, whole=all_)
    place = _place(to, target)
    _prepare(place, items, ids)
    outcomes = _run("fetching", items, _fetching(items, source, place), again=True)
    amiss = sorted([*missing, *((one.id, one.fault) for one in outcomes if one.fault)])
    if amiss:
        place.put(MISSING, missing_text(amiss).encode())
    else:
        place.drop(MISSING)
    came = [one for one in outcomes if one.spelled]
    size = sum(one.size for one in came) / 1e6
    typer.echo(f"{len(came):,} photos fetched ({size:,.1f} MB), {_there(outcomes):,} were there", err=True)
    _tell(outcomes, amiss, len(items) + len(missing), max_missing, f": {to.rstrip('/')}/{MISSING} says which and why")
    typer.echo(to.rstrip("/"))


def manifest(
    to: ToArgument,
    *,
    ids: IdsOption = None,
    all_: AllOption = False,
    limit: LimitOption = None,
    max_missing: MaxMissingOption = None,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Write manifests: jobs then read the public bucket directly.

    Nothing is copied. Prints the DataUri for a pipeline whose `split.data_type` is ManifestFile. Its region must be
    us-east-1, where the bucket is. On AWS the address must be one that the job's role may read: below data/ of the
    installation's bucket.
    """
    from pipeline.aws.fetching import find_one, in_parallel
    from pipeline.data.manifests import digest, manifests

    source = _source()
    items, missing = _wanted(source, ids, limit, whole=all_)
    if all_:
        known, outcomes = [item.id for item in items], []
    else:
        found = in_parallel(lambda item: find_one(item, source), items)
        outcomes = _run("looking", items, found, again=False)
        known = [one.spelled for one in outcomes if one.spelled]
    amiss = sorted([*missing, *((one.id, one.fault) for one in outcomes if one.fault)])
    _tell(outcomes, amiss, len(items) + len(missing), max_missing, "")
    texts = manifests(known)
    where = f"{to.rstrip('/')}/{digest(texts)}"
    _write(where, texts, target)
    typer.echo(f"{len(known):,} photos: --set split.data_type=ManifestFile -p DataUri={where}", err=True)
    typer.echo(where)


def _fetching(items: list[Item], source: PublicBins, place: Place) -> Iterable[Outcome]:
    from pipeline.aws.fetch_processes import WORTH_IT, fetch_in_processes, processes
    from pipeline.aws.fetching import fetch as fetch_items
    from pipeline.aws.places import FolderPlace

    if isinstance(place, FolderPlace) and len(items) >= WORTH_IT and processes() > 1:
        return fetch_in_processes(items, place.root, processes())
    return fetch_items(items, source, place)


def _source() -> PublicBins:
    from pipeline.aws.public_bins import PublicBins

    return PublicBins()


def _place(to: str, target: Target) -> Place:
    from pipeline.aws.places import BucketPlace, FolderPlace

    if not to.startswith("s3://"):
        return FolderPlace(Path(to))
    from pipeline.cli.lookup import open_session

    return BucketPlace(open_session(target), to)


def _wanted(
    source: PublicBins, ids: Path | None, limit: int | None, *, whole: bool
) -> tuple[list[Item], list[tuple[str, str]]]:
    """Return what is wanted, and what of it is known to be missing already."""
    from pipeline.data.abid import pairs, read_list
    from pipeline.data.selection import METADATA, PHOTOS

    if whole == (ids is not None):
        raise UserError("say which photos: --ids with a file that lists them, or --all for 535,234 photos, about 36 GB")
    if ids is not None:
        return read_list(ids, limit), []
    items, missing = pairs(_listing(source, PHOTOS), _listing(source, METADATA))
    items, missing = items[:limit], missing if limit is None else []
    if not items:
        raise UserError("the public bucket lists no photo: is a proxy, or AWS_ENDPOINT_URL, in between?")
    return items, missing


def _listing(source: PublicBins, folder: str) -> dict[str, int]:
    from rich.console import Console

    keys: dict[str, int] = {}
    with Console(stderr=True).status(f"listing {folder} ...") as status:
        for page in source.listing(folder):
            keys |= page
            status.update(f"listing {folder}: {len(keys):,} ...")
    return keys


def _prepare(place: Place, items: list[Item], ids: Path | None) -> None:
    """Say how much there is to come, and put the list beside the records, where Split looks for labels."""
    from pipeline.aws.places import FolderPlace
    from pipeline.cli.progress import duration
    from pipeline.data.abid import FILE_LIST, file_list

    size = sum(item.size or 0 for item in items)
    if ids is None:
        time = duration(size / _TYPICAL_SPEED)
        typer.echo(f"{len(items):,} photos, {size / 1e9:,.1f} GB: about {time} at 100 Mbit/s", err=True)
    if isinstance(place, FolderPlace):
        place.check_room(items)
    text = file_list(items)
    if text is not None:
        if isinstance(place, FolderPlace) and ids is not None and ids.resolve() == (place.root / FILE_LIST).resolve():
            raise UserError(f"{ids} would be written over: copy it to another place, and give that as --ids")
        place.put(FILE_LIST, text.encode())
    elif place.holds(FILE_LIST):
        raise UserError(
            f"there is a {FILE_LIST} already, and Split would take the photos that it names alone: remove it, or fetch "
            "to another place"
        )


def _run(what: str, items: list[Item], work: Iterable[Outcome], *, again: bool) -> list[Outcome]:
    from pipeline.cli.progress import paced

    outcomes: list[Outcome] = []
    try:
        with paced(what, len(items)) as advance:
            for one in work:
                outcomes.append(one)
                advance(1)
    except KeyboardInterrupt:
        typer.echo(f"stopped after at least {len(outcomes):,} of {len(items):,}{_AGAIN if again else ''}", err=True)
        raise typer.Exit(INTERRUPTED) from None
    except (OSError, UserError) as error:
        why = f"{error.strerror}: {error.filename}" if isinstance(error, OSError) else str(error)
        raise UserError(
            f"{why} (after at least {len(outcomes):,} of {len(items):,}){_AGAIN if again else ''}"
        ) from error
    if all(one.fault for one in outcomes):
        raise UserError(f"none of {len(items):,} photos can be had; {outcomes[0].id} for one: {outcomes[0].fault}")
    return outcomes


_AGAIN = ": the same command goes on from there"


def _there(outcomes: list[Outcome]) -> int:
    return sum(one.spelled is None and one.fault is None for one in outcomes)


def _tell(
    outcomes: list[Outcome], amiss: list[tuple[str, str]], total: int, max_missing: float | None, where: str
) -> None:
    other = [one.id for one in outcomes if one.spelled not in {None, one.id}]
    if other:
        typer.echo(f"{len(other):,} are spelled otherwise in the bucket: {', '.join(other[:5])}", err=True)
    if not amiss:
        return
    what = f"{len(amiss):,} of {total:,} photos cannot be had"
    if max_missing is not None and len(amiss) > max_missing * total:
        raise UserError(f"{what}, more than --max-missing {max_missing}{where}")
    first = "; ".join(f"{id} ({why})" for id, why in amiss[:3])
    typer.echo(f"{what}, {first}{', ...' if len(amiss) > 3 else ''}{where}", err=True)


def _write(where: str, texts: dict[str, str], target: Target) -> None:
    write: Callable[[str, str], object]
    if where.startswith("s3://"):
        from pipeline.aws.objects import put_text
        from pipeline.cli.lookup import open_session

        session = open_session(target)
        write = lambda name, text: put_text(session, f"{where}/{name}", text)  # noqa: E731
    else:
        Path(where).mkdir(parents=True, exist_ok=True)
        write = lambda name, text: Path(where, name).write_text(text, encoding="utf-8")  # noqa: E731
    for name, text in texts.items():
        write(name, text)
