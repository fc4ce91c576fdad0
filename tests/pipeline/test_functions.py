"""The functions' packages."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from pipeline.errors import UserError
from pipeline.functions import ROOT, code_digest, names, package


def checkout(root: Path, *files: str) -> Path:
    for name in ("handler.py", *files):
        path = root / "lambda" / "toy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
    return root


def entries(code: bytes) -> list[zipfile.ZipInfo]:
    return zipfile.ZipFile(io.BytesIO(code)).infolist()


def test_the_functions_are_the_folders_with_a_handler(tmp_path: Path) -> None:
    (tmp_path / "lambda" / "empty").mkdir(parents=True)
    assert names(checkout(tmp_path)) == ["toy"]
    assert {"champion", "deploy", "predict"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_a_handler_is_found_where_lambda_looks_for_it(name: str, tmp_path: Path) -> None:
    zipfile.ZipFile(io.BytesIO(package(name))).extractall(tmp_path)
    code = f"import {name}.handler as module; assert callable(module.handler), module; print(module.__file__)"
    environment = {**os.environ, "PYTHONPATH": "", "AWS_DEFAULT_REGION": "us-east-1"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.strip()) == tmp_path / name / "handler.py"


def test_only_code_is_in_it(tmp_path: Path) -> None:
    root = checkout(tmp_path, "README.md", "rules.json", "part/deep.py", "__pycache__/handler.cpython-311.pyc", "a.py")
    assert [one.filename for one in entries(package("toy", root))] == [
        "toy/a.py",
        "toy/handler.py",
        "toy/part/deep.py",
    ]


def test_the_same_content_gives_the_same_bytes_whatever_else_there_is(tmp_path: Path) -> None:
    one, other = checkout(tmp_path / "one", "b.py", "a.py"), checkout(tmp_path / "other", "a.py", "README.md", "b.py")
    for path in (other / "lambda" / "toy").iterdir():
        os.utime(path, (0, 1_000_000_000))
        path.chmod(0o600)
    assert package("toy", one) == package("toy", other)
    (other / "lambda" / "toy" / "a.py").write_text("changed")
    assert code_digest(package("toy", one)) != code_digest(package("toy", other))


def test_everybody_may_read_it(tmp_path: Path) -> None:
    assert {one.external_attr >> 16 for one in entries(package("toy", checkout(tmp_path)))} == {0o100644}


def test_the_digest_is_lambdas() -> None:
    # SHA-256 of nothing, as `openssl dgst -sha256 -binary </dev/null | base64` has it.
    assert code_digest(b"") == "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="


def test_a_function_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"no lambda/toy/handler\.py in .*: run this from a checkout"):
        package("toy", tmp_path)


def test_the_packages_fit_into_a_request() -> None:
    assert [name for name in names(ROOT) if len(package(name)) > 5_000_000] == []
