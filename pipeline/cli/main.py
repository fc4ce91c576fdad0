"""The command `bincount`: its verbs, and the boundary where errors become one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from io import TextIOWrapper
from typing import Annotated

import typer

from pipeline.cli import (
    cleaning,
    costing,
    data,
    definitions,
    drifting,
    endpoints,
    executions,
    images,
    installing,
    invoking,
    models,
    removing,
    running,
    scoring,
    starting,
)
from pipeline.cli.options import examples

app = typer.Typer(
    name="bincount",
    help="Count the items in warehouse bins: train, evaluate and register the model, here or on SageMaker.",
    epilog=examples("bincount data synth photos --photos 800", "bincount run --profile demo -p DataUri=photos"),
    no_args_is_help=True,
    add_completion=False,
    # Plain help: Rich's panels would double the time that it takes.
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"bincount {version('bincount')}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    debug: Annotated[
        bool, typer.Option("--debug", help="Show the traceback of an error; anywhere in the line.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None: ...


def _verb(function: Callable[..., None], *lines: str) -> None:
    app.command(function.__name__.strip("_"), epilog=examples(*lines))(function)


_verb(
    installing.bootstrap,
    "bincount bootstrap --dry-run",
    "bincount bootstrap -p Email=me@example.com -p CiSubject=repo:me/bincount:ref:refs/heads/main",
)
_verb(removing.teardown, "bincount teardown --dry-run", "bincount teardown --stack bincount")
_verb(
    running.run,
    "bincount run --profile demo -p DataUri=photos",
    "bincount run -p DataUri=photos -p Epochs=4 --set tune.trials=3",
    "bincount run --profile demo -p DataUri=photos --containers",
    "bincount run --profile dev -p DataUri=photos --target aws --dry-run",
)
_verb(starting.upsert, "bincount upsert --profile demo", "bincount upsert --profile prod --target aws")
_verb(starting.start, "bincount start --profile demo -p Epochs=4", "bincount start --profile prod --target aws")
_verb(running.resume, "bincount resume", "bincount resume 3x2k1v8ab0cd")
_verb(executions.status, "bincount status", "bincount status 3x2k1v8ab0cd --json")
_verb(executions.watch, "bincount watch")
_verb(executions.logs, "bincount logs Train --follow", "bincount logs Tune/2 --execution 3x2k1v8ab0cd")
_verb(executions.list_, "bincount list", "bincount list --profile demo --json")
_verb(executions.stop, "bincount stop")
_verb(
    costing.cost,
    "bincount cost --profile prod -p TrainingInstanceCount=4",
    "bincount cost 3x2k1v8ab0cd --target aws",
)
_verb(definitions.compile_, "bincount compile --profile prod --out definition.json")
_verb(definitions.validate, "bincount validate definition.json")
app.add_typer(images.app, name="images")
app.add_typer(models.app, name="models")
_verb(
    scoring.evaluate,
    "bincount evaluate --model 1 --images photos/bin-images --labels labels.csv",
    "bincount evaluate --model model.tar.gz --images photos --labels labels.csv --json",
)
_verb(scoring.predict, "bincount predict --model 1 photos/bin-images/00001.jpg")
_verb(
    invoking.invoke,
    "bincount invoke tests/events/predict/direct-image-base64.json",
    """echo '{"s3_uri": "s3://bincount-local/photo.jpg"}' | bincount invoke -""",
)
_verb(endpoints.endpoints, "bincount endpoints", "bincount endpoints --profile prod --target aws --json")
app.add_typer(endpoints.app, name="endpoint")
_verb(drifting.drift, "bincount drift", "bincount drift --profile prod --hours 48 --target aws")
_verb(cleaning.cleanup, "bincount cleanup --dry-run", "bincount cleanup --profile demo --yes")
app.add_typer(data.app, name="data")


def main(arguments: list[str] | None = None) -> None:
    """Run the command line and exit: 0 for success, 1 for an error, 2 for a mistyped command, 130 for Ctrl-C."""
    given = sys.argv[1:] if arguments is None else arguments
    arguments = [argument for argument in given if argument != "--debug"]
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # names and marks that the terminal cannot show are no reason to fail
            stream.reconfigure(errors="replace")
    try:
        app(args=arguments, prog_name="bincount")
    except Exception as error:
        if len(arguments) < len(given):
            raise
        print(f"error: {explain(error)}", file=sys.stderr)
        sys.exit(1)


def explain(error: Exception) -> str:
    """Return one line that says what went wrong."""
    from pipeline.errors import UserError

    if isinstance(error, UserError):
        return " ".join(str(error).split())
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}{_advice(error.filename)}" if error.filename else error.strerror
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return f"{text[:300]} (not foreseen: add --debug to see where it comes from)"


def _advice(file: object) -> str:
    """Return what to do about a file that is the home's, not the user's."""
    from pathlib import Path

    from pipeline.local.home import ADVICE, Home

    return f": {ADVICE}" if Path(str(file)).absolute().is_relative_to(Home.find().root) else ""


if __name__ == "__main__":
    main()
