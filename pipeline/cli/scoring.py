"""`evaluate` and `predict`: any artifact on any photos, by the step's own code in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from pipeline.cli.figures import METRICS
from pipeline.cli.options import JsonOption, OnlyProfileOption, Target, TargetOption
from pipeline.errors import UserError

ModelOption = Annotated[
    str,
    typer.Option(
        "--model",
        "-m",
        help="model.tar.gz or its unpacked folder, an s3:// address, or a version number of the registry.",
    ),
]


def evaluate(
    *,
    model: ModelOption,
    images: Annotated[Path, typer.Option("--images", "-i", help="Folder of photos.", readable=False)],
    labels: Annotated[
        Path, typer.Option("--labels", "-l", help="CSV with the columns id, label[, group].", readable=False)
    ],
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Score a model on a labelled folder, with 95 % intervals."""
    with _artifact(model, target, profile) as path:
        arguments = [f"--model={path}", f"--images={images}", f"--labels={labels}", "--json"]
        done = _step("score", arguments)
    if done.returncode:
        raise typer.Exit(done.returncode)
    if json:
        typer.echo(done.stdout, nl=False)
    else:
        _print_scores(_parse(done.stdout))


def predict(
    photos: Annotated[list[Path], typer.Argument(metavar="IMAGE...", help="Photos of bins.", readable=False)],
    *,
    model: ModelOption,
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Count the items in photos.

    The exit code is 1 when a photo cannot be used.
    """
    with _artifact(model, target, profile) as path:
        done = _step("predict", [f"--model={path}", "--", *map(str, photos)])
    if done.stdout:
        from pipeline.cli.answers import print_answers

        print_answers([_parse(line) for line in done.stdout.splitlines()], json=json)
    raise typer.Exit(done.returncode)


def _step(module: str, arguments: list[str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m steps.evaluate.<module>`; its progress and errors go to our stderr."""
    from pipeline.images import ROOT

    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    command = [sys.executable, "-m", f"steps.evaluate.{module}", *arguments]
    return subprocess.run(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": path}, check=False
    )


def _parse(text: str) -> dict[str, Any]:
    try:
        value: dict[str, Any] = json.loads(text)
    except ValueError:
        raise UserError(f"the step's code answered {text[:80]!r} instead of JSON") from None
    return value


@contextmanager
def _artifact(model: str, target: Target, profile: str | None) -> Iterator[Path]:
    """Give the file of what `--model` names. Raises UserError."""
    if Path(model).exists():
        yield Path(model)
        return
    from pipeline.cli.lookup import find_version, open_session

    session = open_session(target)
    if model.isdecimal():
        model = find_version(session, target, profile, int(model)).model_data
    if not model.startswith("s3://"):
        raise UserError(f"there is no model {model}: give a file, a folder, an s3:// address or a version number")
    import tempfile

    from pipeline.aws.objects import download

    with tempfile.TemporaryDirectory(prefix="bincount-") as folder:
        yield download(session, model, Path(folder) / "model.tar.gz")


def _print_scores(evaluation: dict[str, Any]) -> None:
    from pipeline.cli.tables import print_table

    metrics = evaluation["multiclass_classification_metrics"]
    rows = []
    for name, shown in METRICS.items():
        if name in metrics:
            interval = metrics[name]["confidence_interval"]
            rows.append((shown, f"{metrics[name]['value']:.3f}", f"[{interval['lower']:.3f}, {interval['upper']:.3f}]"))
    dataset = evaluation["dataset"]
    typer.echo(
        f"{dataset['item_count']} photos of {dataset['groups']} bins, {dataset['left_out']['count']} left out", err=True
    )
    print_table(("figure", "value", "95 % interval"), rows, "")
    typer.echo("", err=True)
    matrix = metrics["confusion_matrix"]
    counts = [
        (
            label,
            f"{scores['precision']:.3f}",
            f"{scores['recall']:.3f}",
            f"{scores['f1']:.3f}",
            *map(str, matrix[label].values()),
        )
        for label, scores in evaluation["per_class"].items()
    ]
    print_table(("items", "precision", "recall", "F1", *(f"as {label}" for label in matrix)), counts, "")
