"""Commands that the documentation and the workflows tell people to type are commands that there are."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
import typer.main
from typer.core import TyperGroup

from pipeline.cli.main import app

ROOT = Path(__file__).parents[1]
FILES = [
    *ROOT.glob("*.md"),
    *ROOT.glob("docs/*.md"),
    *ROOT.glob("*/README.md"),
    *ROOT.glob("*/*/README.md"),
    *ROOT.glob(".github/workflows/*.yml"),
    ROOT / "buildspec.yml",
    ROOT / "Makefile",
]
# In a line of its own, or between backticks; `bincount run --profile demo ...` is a mention of a command, too.
MENTION = re.compile(r"(?:`|^\s*(?:[-@$] )*(?:run: )?(?:\S*/|\$\(BIN\)/)?)(bincount [^`\n]*)", re.MULTILINE)
ALWAYS = ("--debug", "--help", "-h")


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of every mentioned command, without what a shell adds to it."""
    for mention in MENTION.findall(text):
        line = re.split(r"\s+(?:#|\||&&|;|>)", mention.strip())[0].removesuffix("\\")
        try:
            words = shlex.split(line)[1:]
        except ValueError:
            continue  # prose with an apostrophe
        yield [word for word in words if word != "..."]


def problem(words: list[str]) -> str | None:
    """Return what is wrong with a command, or None: an unknown verb or option. Values are not looked at."""
    command = typer.main.get_command(app)
    path, seen = list(words), list[str]()
    while isinstance(command, TyperGroup) and path:
        word = path.pop(0)
        if word.startswith("-"):  # an option of the group, with its value
            flags = {option for one in command.params if getattr(one, "is_flag", False) for option in one.opts}
            seen += [word, *([path.pop(0)] if path and "=" not in word and word not in {*flags, *ALWAYS} else [])]
        elif word not in command.commands:
            return f"no verb {word}"
        else:
            command, seen = command.commands[word], []
    path = [*seen, *path]
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    given = [word.partition("=")[0] for word in path if re.fullmatch(r"-\w|--\w[\w-]*(=.*)?", word)]
    unknown = [option for option in given if option not in {*known, *ALWAYS}]
    return f"no option {unknown[0]} of {command.name}" if unknown else None


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_exists(path: Path) -> None:
    for words in commands(path.read_text(encoding="utf-8")):
        assert problem(words) is None, f"{path.relative_to(ROOT)}: bincount {shlex.join(words)}: {problem(words)}"


def test_what_is_wrong_is_seen() -> None:
    assert problem(["run", "--profile", "demo", "-p", "Epochs=3"]) is None
    assert problem(["models", "approve", "1", "--yes"]) is None
    assert problem(["frobnicate"]) == "no verb frobnicate"
    assert problem(["models", "bless", "1"]) == "no verb bless"
    assert problem(["run", "--profil", "demo"]) == "no option --profil of run"


def test_mentions_are_found() -> None:
    text = (
        "see `bincount stop`\n    bincount run -p A=b  # why\n      - run: bin/bincount list | cat\na bincount word\n"
    )
    assert list(commands(text)) == [["stop"], ["run", "-p", "A=b"], ["list"]]


def test_github_and_codebuild_run_the_same() -> None:
    workflow = (ROOT / ".github/workflows/pipeline.yml").read_text(encoding="utf-8")
    buildspec = (ROOT / "buildspec.yml").read_text(encoding="utf-8")
    [here], [there] = ([words for words in commands(text) if words[:1] == ["run"]] for text in (workflow, buildspec))
    assert here[:-1] == there[:-1]
