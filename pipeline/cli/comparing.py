"""`models compare`: two versions, metric by metric."""

from __future__ import annotations

import json as json_
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import typer

from pipeline.cli.figures import METRICS, Comparison, Figure, Interval
from pipeline.cli.options import JsonOption, OnlyProfileOption, Target, TargetOption
from pipeline.cli.versions import VersionArgument

if TYPE_CHECKING:
    import boto3

    from pipeline.aws.models import Version


def compare(
    version: VersionArgument,
    other: VersionArgument,
    *,
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Compare two versions metric by metric.

    Differences are of the first version less the second, with 95 % intervals; besides, the hyperparameters that differ,
    and whether both were scored on the same photos.
    """
    from pipeline.cli.lookup import find_version, open_session

    session = open_session(target)
    left = find_version(session, target, profile, version)
    right = find_version(session, target, profile, other)
    compared = comparison(session, left, right)
    if json:
        typer.echo(json_.dumps(as_json(left, right, compared), indent=2))
        return
    _print(left, right, compared)


def comparison(session: boto3.Session, left: Version, right: Version) -> Comparison:
    """Compare what two versions' evaluations say; what cannot be read is left out."""
    from pipeline.aws.registry import read_evaluation
    from pipeline.cli import figures

    same = figures.same_photos(left.data_hash, right.data_hash)
    first, second = (read_evaluation(session, one.evaluation) for one in (left, right))
    return figures.compare(first, second, same)


def _print(left: Version, right: Version, compared: Comparison) -> None:
    from pipeline.cli.tables import fits, print_table

    head = [f"version {one.number}" for one in (left, right)]
    columns, metrics = ("metric", *head, "difference", ""), list(metric_rows(compared))
    if not fits(columns, metrics):
        metrics = list(metric_rows(compared, short=True))
    print_table(columns, metrics, "neither version has figures")
    changed = list(differing(hyperparameters(left.lineage), hyperparameters(right.lineage)))
    typer.echo("", err=True)
    print_table(("hyperparameter", *head), changed, "no hyperparameter differs, as far as they are known")
    typer.echo("", err=True)
    typer.echo(data_text(left, right, compared), err=True)


def metric_rows(compared: Comparison, *, short: bool = False) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each metric; `short` leaves both scores' intervals out where the difference has one."""
    for row in compared.rows:
        bare = short and row.difference is not None and row.difference.interval is not None
        yield (
            METRICS[row.name],
            text(row.left, bare=bare),
            text(row.right, bare=bare),
            signed(row.difference.value, row.difference.interval) if row.difference else "",
            row.verdict,
        )


def as_json(left: Version, right: Version, compared: Comparison) -> dict[str, Any]:
    """Return the same for scripts."""
    from dataclasses import asdict

    changed = differing(hyperparameters(left.lineage), hyperparameters(right.lineage))
    return {
        "versions": [{"group": one.group, "number": one.number, "data_hash": one.data_hash} for one in (left, right)],
        "same_photos": compared.same_photos,
        "scored_on": compared.scored_on,
        "metrics": {row.name: {**asdict(row), "verdict": row.verdict} for row in compared.rows},
        "hyperparameters": {name: values for name, *values in changed},
    }


def data_text(left: Version, right: Version, compared: Comparison) -> str:
    """Say whether the scores may be compared, and why not."""
    if compared.same_photos:
        return f"both were scored on the same photos: data {left.data_hash[:10]}"
    hashes = f"data {left.data_hash[:10] or 'unknown'} and {right.data_hash[:10] or 'unknown'}"
    if compared.scored_on != "each":
        owner, guest = (left, right) if compared.scored_on == "left" else (right, left)
        return (
            f"the versions have other test photos ({hashes}): version {guest.number} is shown as it was scored again "
            f"on those of version {owner.number}"
        )
    if compared.same_photos is None:
        return (
            f"warning: nobody knows whether the test photos are the same ({hashes}): the scores may not be comparable"
        )
    return f"warning: the test photos differ ({hashes}): the scores are not comparable"


def text(figure: Figure | None, *, bare: bool = False) -> str:
    """Return a score with its interval, or `bare` without."""
    if figure is None:
        return ""
    interval = " [{:.3f}, {:.3f}]".format(*figure.interval) if figure.interval and not bare else ""
    return f"{figure.value:.3f}{interval}"


def signed(value: float, interval: Interval | None) -> str:
    """Return a difference with its interval."""
    return f"{value:+z.3f}" + (f" [{interval[0]:+z.3f}, {interval[1]:+z.3f}]" if interval else "")


def hyperparameters(lineage: Mapping[str, str]) -> dict[str, str]:
    """Return what training wrote into the artifact about its hyperparameters; nothing where it cannot be read."""
    try:
        found = json_.loads(lineage.get("hyperparameters", ""))
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    return {name: f"{value:.4g}" if isinstance(value, float) else str(value) for name, value in found.items()}


def differing(left: Mapping[str, str], right: Mapping[str, str]) -> Iterator[tuple[str, str, str]]:
    """Yield name and both values of what differs; nothing where one side is not known at all."""
    if left and right:
        for name in [*left, *(name for name in right if name not in left)]:
            if left.get(name) != right.get(name):
                yield name, left.get(name, ""), right.get(name, "")
