"""The arrows between the folders, as the design draws them: who may import whom."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FUNCTIONS = {"champion", "deploy", "drift", "predict"}
"""The packages below `lambda/`, which is the root of their imports."""

# Folder: top-level modules that nothing in it may import.
FORBIDDEN = {
    "pipeline": {"steps", "containers", *FUNCTIONS},
    "steps": {"pipeline", "containers", "boto3", "botocore", "sagemaker", *FUNCTIONS},
    "containers": {"pipeline", "boto3", "botocore", "sagemaker", "torch", *FUNCTIONS},
    "lambda": {"pipeline", "steps", "containers", "sagemaker"},
}


def imports_of(source: str) -> set[str]:
    """Return the dotted names of all modules that a source file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            names.add(node.module or "")
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return names


def runtime_imports_of(source: str) -> set[str]:
    """Return the same without what only annotations need (`if TYPE_CHECKING:`)."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    return imports_of(ast.unparse(tree))


def files_of(folder: str) -> list[Path]:
    return sorted((ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("folder", FORBIDDEN)
def test_folder_imports_nothing_forbidden(folder: str) -> None:
    for path in files_of(folder):
        found = {name.split(".")[0] for name in imports_of(path.read_text(encoding="utf-8"))}
        assert not found & FORBIDDEN[folder], f"{path.relative_to(ROOT)} breaks the design's arrows"


def test_a_step_imports_itself_and_common_alone() -> None:
    for path in files_of("steps"):
        own = path.relative_to(ROOT / "steps").parts[0]
        for name in imports_of(path.read_text(encoding="utf-8")):
            parts = name.split(".")
            if parts[0] == "steps" and len(parts) > 1:
                assert parts[1] in {own, "common"}, f"{path.relative_to(ROOT)} imports {name}"


def test_containers_import_the_common_step_code_alone() -> None:
    for path in files_of("containers"):
        for name in imports_of(path.read_text(encoding="utf-8")):
            assert name.split(".")[:2] in ([name], ["steps", "common"]) or not name.startswith("steps"), (
                f"{path.relative_to(ROOT)} imports {name}"
            )


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_function_imports_itself_and_what_lambda_has(function: str) -> None:
    allowed = {function, "boto3", "botocore"} | sys.stdlib_module_names
    for path in files_of(f"lambda/{function}"):
        found = {name.split(".")[0] for name in runtime_imports_of(path.read_text(encoding="utf-8"))}
        assert found <= allowed, f"{path.relative_to(ROOT)} imports {', '.join(found - allowed)}"


def test_only_the_aws_folders_name_boto3() -> None:
    allowed = {ROOT / "pipeline" / "aws", ROOT / "pipeline" / "local"}
    # Compiling needs boto3 to keep the SageMaker SDK from calling anyone.
    silencing = {ROOT / "pipeline" / "compile.py", ROOT / "pipeline" / "sdk.py"}
    for path in files_of("pipeline"):
        if not any(folder in path.parents for folder in allowed) and path not in silencing:
            found = {name.split(".")[0] for name in runtime_imports_of(path.read_text(encoding="utf-8"))}
            assert "boto3" not in found, f"{path.relative_to(ROOT)} calls AWS outside pipeline/aws"


def test_the_rules_see_every_kind_of_import() -> None:
    source = "import a.b\nfrom c.d import e\ndef f():\n    import g\n"
    assert imports_of(source) == {"a.b", "c.d", "c.d.e", "g"}
    assert runtime_imports_of(f"{source}if TYPE_CHECKING:\n    import h\n") == {"a.b", "c.d", "c.d.e", "g"}


def test_every_folder_of_the_rules_has_files() -> None:
    folders = [*FORBIDDEN, "pipeline/aws", "pipeline/local", "steps/common", "containers/inference"]
    assert [folder for folder in folders if not files_of(folder)] == []
    assert {path.parent.name for path in (ROOT / "lambda").glob("*/handler.py")} == FUNCTIONS
