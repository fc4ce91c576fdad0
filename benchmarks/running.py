"""Which benchmarks there are, and running one in a process of its own."""

from __future__ import annotations

import ast
import importlib
import multiprocessing
import time
import traceback
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from benchmarks.document import Result
from benchmarks.figures import Figure


def benchmarks(folder: Path = Path(__file__).parent) -> dict[str, str]:
    """Return the name of each module with a `measure`, and its docstring, which the page shows; nothing is imported."""
    found = {}
    for path in sorted(folder.glob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == "measure" for node in tree.body):
            found[path.stem] = ast.get_docstring(tree) or ""
    return found


def figures_of(name: str) -> list[Figure]:
    """Run a benchmark in this process."""
    figures: list[Figure] = importlib.import_module(f"benchmarks.{name}").measure()
    return figures


def run(name: str, about: str) -> Result:
    """Run a benchmark in a process of its own; a failure is a result, too."""
    begun = time.monotonic()
    figures: Sequence[Figure] = ()
    failure = ""
    try:
        with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
            figures = pool.submit(figures_of, name).result()
            failure = "" if figures else "it measured nothing"
    except Exception as error:  # whatever it is, the page has to say so
        traceback.print_exception(error)
        failure = f"{type(error).__name__}: {' '.join(str(error).split())}"[:500]
    return Result(name, about, figures, failure, time.monotonic() - begun)
