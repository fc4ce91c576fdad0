"""`models show`: everything that is known of one version, as a page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.cli.options import JsonOption, OnlyProfileOption, Target, TargetOption

if TYPE_CHECKING:
    from pipeline.aws.models import Verdict, Version

VersionArgument = Annotated[int, typer.Argument(metavar="VERSION", min=1, help="Number of the version.")]
_CLASS_FIGURES = ("precision", "recall", "f1")
# Where the model-card schema of model packages keeps what a reader wants to know, and our word for it.
_CARD = (
    ("purpose", "intended_uses", "purpose_of_model"),
    ("use", "intended_uses", "intended_uses"),
    ("limits", "intended_uses", "factors_affecting_model_efficiency"),
    ("risk", "intended_uses", "risk_rating"),
    ("advice", "additional_information", "caveats_and_recommendations"),
)


def show(
    version: VersionArgument,
    *,
    profile: OnlyProfileOption = None,
    json: JsonOption = False,
    target: TargetOption = Target.LOCAL,
) -> None:
    """Show a version.

    Its scores, where it came from, what deploying it came to, and what its model card says.
    """
    from pipeline.aws import deployment, registry
    from pipeline.aws.models import PRODUCTION
    from pipeline.cli.lookup import find_version, open_session

    session = open_session(target)
    found = find_version(session, target, profile, version)
    figures = registry.read_evaluation(session, found.evaluation)
    card = registry.card(session, found)
    serving = deployment.serving(session, found.group, PRODUCTION) == found.number
    if json:
        import json as json_

        typer.echo(json_.dumps({**as_json(found, serving=serving), "figures": figures, "card": card}, indent=2))
        return
    from pipeline.cli.tables import print_pairs, print_table

    print_pairs(page(found, figures, card, serving=serving), "bold")
    if rows := list(class_rows(figures)):
        typer.echo("", err=True)
        print_table(("items", "precision", "recall", "F1", "photos"), rows, "")


def as_json(version: Version, *, serving: bool) -> dict[str, Any]:
    """Return a version for scripts: its members, what both stages said, whether production serves it now."""
    from dataclasses import asdict

    from pipeline.aws.models import PRODUCTION, STAGING

    stages = {stage: asdict(version.verdict(stage)) for stage in (STAGING, PRODUCTION)}
    return {
        **asdict(version),
        "created": version.created.isoformat(),
        "data_hash": version.data_hash,
        **stages,
        "serving": serving,
    }


def page(
    version: Version, figures: Mapping[str, Any], card: Mapping[str, Any], *, serving: bool
) -> Iterator[tuple[str, str]]:
    """Yield what there is to say of a version as pairs of a word and a text; what nobody knows is left out."""
    from pipeline.aws.models import PRODUCTION, STAGING
    from pipeline.cli.outcome import local_path, score_text

    metadata, lineage = version.metadata, version.lineage
    champion = ", the champion" if version.champion else ""
    told = [
        ("version", f"{version.number} of {version.group}: {version.status}{champion}"),
        ("registered", f"{version.created.astimezone():%Y-%m-%d %H:%M}"),
        ("note", version.note or ""),
        ("score", score_text(figures)),
        ("improved", improvement_text(figures)),
        ("gate", _gate(metadata)),
        ("staging", verdict_text(version.verdict(STAGING))),
        ("production", "; ".join(filter(None, ("serves" * serving, verdict_text(version.verdict(PRODUCTION)))))),
        ("override", metadata.get("StagingOverride", "")),
        ("machines", "; ".join(machines(metadata))),
        ("commit", lineage.get("commit", "")),
        ("execution", lineage.get("execution", "").rpartition("/")[2]),
        ("job", lineage.get("job", "")),
        ("data", version.data_hash),
        ("parameters", _parameters(lineage)),
        ("image", version.image),
        ("artifact", local_path(version.model_data)),
        ("report", local_path(metadata.get("Report", ""))),
        *((word, _text(card, section, key)) for word, section, key in _CARD),
    ]
    yield from ((word, text) for word, text in told if text)


def verdict_text(verdict: Verdict) -> str:
    """Return a verdict in one line; empty where there is none."""
    text = f"{verdict.status}{', ' + verdict.time if verdict.time else ''}"
    return f"{text}: {verdict.reason}" if verdict.reason else text


def improvement_text(figures: Mapping[str, Any]) -> str:
    """Return by how much the version improved on the champion of its time, both on its test photos."""
    from pipeline.cli.comparing import signed
    from pipeline.cli.figures import figure

    block = figures.get("champion")
    gain = figure(block, "improvement") if isinstance(block, dict) and block.get("present") is True else None
    if gain is None:
        return ""
    over = block.get("version") if isinstance(block, dict) else None
    return f"macro-F1 {signed(gain.value, gain.interval)} on {over or 'the champion then'}"


def machines(metadata: Mapping[str, str]) -> Iterator[str]:
    """Yield how a version is deployed, as it was registered to be."""
    if kind := metadata.get("StagingInstanceType"):
        yield f"staging: 1 x {kind}"
    if kind := metadata.get("InstanceType"):
        count, most = metadata.get("InstanceCount", "1"), metadata.get("MaxInstanceCount", "1")
        each = metadata.get("InvocationsPerInstance", "?")
        scaled = f" (to {most}, at {each} requests a minute each)" * (most != count)
        bake = f", bakes {metadata['BakeSeconds']} s" if "BakeSeconds" in metadata else ""
        limit = f", latency limit {metadata['LatencyLimitMs']} ms" if "LatencyLimitMs" in metadata else ""
        capture = f", keeps {metadata['CapturePercent']} %" if metadata.get("CapturePercent", "0") != "0" else ""
        yield f"production: {count} x {kind}{scaled}{bake}{limit}{capture}"


def class_rows(figures: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the scores of each class as cells; nothing where evaluation.json does not have them."""
    classes = figures.get("per_class")
    for label, scores in classes.items() if isinstance(classes, dict) else ():
        values = [scores.get(name) for name in _CLASS_FIGURES] if isinstance(scores, dict) else []
        if values and all(isinstance(value, int | float) for value in values):
            yield (str(label), *(f"{value:.3f}" for value in values), str(scores.get("photos", "")))


def _gate(metadata: Mapping[str, str]) -> str:
    shown = {"MinMacroF1": "macro-F1 >=", "MinImprovement": "improvement >="}
    return ", ".join(f"{word} {metadata[name]}" for name, word in shown.items() if name in metadata)


def _parameters(lineage: Mapping[str, str]) -> str:
    from pipeline.cli.comparing import hyperparameters

    return "  ".join(f"{name} {value}" for name, value in hyperparameters(lineage).items())


def _text(card: Mapping[str, Any], section: str, key: str) -> str:
    inner = card.get(section)
    text = inner.get(key) if isinstance(inner, dict) else None
    return text if isinstance(text, str) else ""
