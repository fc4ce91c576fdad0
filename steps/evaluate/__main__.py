"""Evaluate: score a model artifact on the test photos, beside the champion's on the same photos.

As a processing job, in the evaluation image:

    python -m steps.evaluate [--champion group/3] [--minimum-macro-f1 0.5] [--minimum-improvement 0.0]

In (below /opt/ml/processing/input): model, test, champion where one is named, split where there is one.
Out (below /opt/ml/processing/output): evaluation/evaluation.json, evaluation/smoke.json, evaluation/baseline.json,
report/report.html, report/predictions.csv.
"""

from __future__ import annotations

import argparse
import re
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from steps.common.files import atomic_file, write_json
from steps.common.job import JobArguments, JobError, base_dir, run_job
from steps.common.labels import CLASS_LABELS
from steps.common.shards import ShardDataset, ShardError
from steps.common.split_report import SplitReport, read_split_report
from steps.evaluate.baseline import baseline
from steps.evaluate.evaluation import evaluate, model_facts
from steps.evaluate.history import read_curve, read_history
from steps.evaluate.inference import ROLES, Answers, Progress, answer
from steps.evaluate.mistakes import thumbnail, worst_mistakes
from steps.evaluate.models import Model, find_artifact, open_model
from steps.evaluate.predictions import write_predictions
from steps.evaluate.report import Extras, Gate, render
from steps.evaluate.smoke import smoke_test
from steps.evaluate.sources import shard_samples

MISTAKES = 12
MAX_LEFT_OUT = 0.05  # Split decodes every photo it writes: more than this is damage, and a score of the rest no score
SEED = 0


@dataclass(frozen=True, slots=True)
class Settings:
    """The job's arguments."""

    bootstrap_samples: int
    gate: Gate
    champion: str | None = None
    """The version to beat: `<group>/<n>`."""


def parse(arguments: list[str] | None = None) -> Settings:
    """Read the command line. Raises JobError."""
    parser = JobArguments(prog="steps.evaluate", description="Score a model on the test photos.")
    parser.add_argument("--bootstrap-samples", type=positive, default=2000, help="replicates behind each interval")
    parser.add_argument("--champion", type=version, help="the version in the input `champion`, as group/3, or none")
    parser.add_argument("--minimum-macro-f1", type=float, help="the gate's least macro-F1, to be shown in the report")
    parser.add_argument("--minimum-improvement", type=float, help="the gate's least improvement on the champion, shown")
    options = parser.parse_args(arguments)
    gate = Gate(options.minimum_macro_f1, options.minimum_improvement)
    return Settings(options.bootstrap_samples, gate, options.champion)


def positive(text: str) -> int:
    """Return a whole number of 2 or more, as a spread needs."""
    if (number := int(text)) < 2:
        raise argparse.ArgumentTypeError("must be at least 2")
    return number


def version(text: str) -> str | None:
    """Return `<group>/<n>`, or None for `none`."""
    if text == "none":
        return None
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9-]{0,62}/[0-9]{1,9}", text):
        raise argparse.ArgumentTypeError("must be none or <model package group>/<version>")
    return text


def run(processing: Path, settings: Settings, progress: Progress) -> None:
    """Evaluate what lies in `<processing>/input` and write `<processing>/output`. Raises JobError."""
    inputs, output = processing / "input", processing / "output"
    artifact = given_artifact(inputs / "model", "a Train step")
    # With none to beat the folder holds something else: a processing job's inputs are there whether needed or not.
    champion = given_artifact(inputs / "champion", settings.champion) if settings.champion else None
    try:
        dataset = ShardDataset(inputs / "test")
    except ShardError as error:
        raise JobError(str(error)) from None
    split = read_split_report(inputs / "split") if any(inputs.glob("split/*")) else None
    with ExitStack() as stack:
        models = [stack.enter_context(open_model(artifact, ROLES[0]))]
        if champion is not None:
            models.append(stack.enter_context(open_model(champion, ROLES[1])))
        check_classes(models)
        answers = answer([model.predictor for model in models], shard_samples(dataset), len(dataset), progress)
        check_failures(answers, len(dataset))
        write(output, models, answers, dataset, split, settings)
    progress(f"report: {output / 'report' / 'report.html'}")


def given_artifact(channel: Path, source: str) -> Path:
    """Return the artifact in an input. Raises JobError where there is none."""
    artifact = find_artifact(channel)
    if artifact is None:
        raise JobError(f"{channel} is empty: give the model.tar.gz of {source} as the input `{channel.name}`")
    return artifact


def check_classes(models: list[Model]) -> None:
    """Refuse an artifact that does not count 1 to 5 items. Raises JobError."""
    for role, model in zip(ROLES, models, strict=False):
        if set(model.predictor.spec.class_labels) != set(CLASS_LABELS):
            given = ", ".join(model.predictor.spec.class_labels[:10])
            raise JobError(f"the {role}'s classes are {given}, the test photos' are {', '.join(CLASS_LABELS)}")


def check_failures(answers: Answers, photos: int) -> None:
    """Refuse to score what is left of damaged shards. Raises JobError."""
    failures = answers.failures
    if len(failures) > MAX_LEFT_OUT * photos:
        raise JobError(
            f"{len(failures)} of {photos} test photos could not be evaluated, the first is {failures[0].id!r} "
            f"({failures[0].reason}): the shards are damaged, run Split again"
        )


def write(
    output: Path,
    models: list[Model],
    answers: Answers,
    dataset: ShardDataset,
    split: SplitReport | None,
    settings: Settings,
) -> None:
    """Write the scores, the report, the single answers, the photo for the smoke test and the baseline for drift."""
    specs = [model.predictor.spec for model in models]
    evaluation = evaluate(answers, [spec.ask_below for spec in specs], settings.bootstrap_samples, SEED)
    facts = [model_facts(model.predictor.spec, model.digest) for model in models]
    evaluation["model"] = facts[0]
    if len(facts) > 1:
        evaluation["champion"] |= {"version": settings.champion, "model": facts[1]}
    mistakes = worst_mistakes(answers, MISTAKES)
    extras = Extras(
        labels=answers.labels,
        gate=settings.gate,
        mistakes=[(mistake, thumbnail(dataset[mistake.position].image)) for mistake in mistakes],
        history=read_history(models[0].folder),
        curve=read_curve(models[0].folder),
        split=split,
    )
    write_predictions(output / "report" / "predictions.csv", answers)
    with atomic_file(output / "report" / "report.html") as file:
        file.write(render(evaluation, extras).encode())
    write_json(output / "evaluation" / "smoke.json", smoke_test(models[0].predictor, answers, dataset))
    write_json(output / "evaluation" / "baseline.json", baseline(answers))
    write_json(output / "evaluation" / "evaluation.json", evaluation)  # last: it is what the gate waits for


def main() -> None:
    """Run the job."""
    settings = parse()
    run(base_dir() / "processing", settings, lambda line: print(line, flush=True))


if __name__ == "__main__":
    run_job(main)
