"""The package as users get it: the sdist builds the wheel, and both hold what they should and nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
import tarfile
import zipfile
from email.parser import BytesParser
from pathlib import Path

import pytest

import luml_lite

pytest.importorskip("build", reason="building needs the extra test-all")
pytest.importorskip("twine", reason="checking needs the extra test-all")

ROOT = Path(__file__).parents[2]


def run(*arguments: str, cwd: Path) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sdist of this checkout."""
    folder = tmp_path_factory.mktemp("sdist")
    run("build", "--no-isolation", "--sdist", "--outdir", str(folder), str(ROOT), cwd=folder)
    (made,) = folder.iterdir()
    return made


@pytest.fixture(scope="module")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel that is built from the unpacked sdist alone."""
    folder = tmp_path_factory.mktemp("wheel")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    run("build", "--no-isolation", "--wheel", "--outdir", str(folder / "dist"), str(source), cwd=folder)
    (made,) = (folder / "dist").iterdir()
    return made


def files(folder: str) -> set[str]:
    """The files of a folder of this checkout, without what Python leaves there."""
    found = (path for path in (ROOT / folder).rglob("*") if path.is_file())
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


def test_the_sdist_holds_the_package_its_tests_and_its_benchmarks(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        held = {name.partition("/")[2] for name in archive.getnames()}
    expected = {*files("luml_lite"), *files("tests"), *files("benchmarks"), *files(".ci")}
    assert held == {*expected, ".gitignore", "README.md", "pyproject.toml", "PKG-INFO"}


def test_the_wheel_of_the_sdist_holds_the_package_and_its_licence(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    information = f"luml_lite-{luml_lite.__version__}.dist-info"
    added = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/luml_lite/LICENSE"}
    assert held == {*files("luml_lite"), *(f"{information}/{name}" for name in added)}


def test_the_metadata_says_what_an_index_shows(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        said = BytesParser().parsebytes(archive.read(f"luml_lite-{luml_lite.__version__}.dist-info/METADATA"))
    assert said["Version"] == luml_lite.__version__
    assert said["License-Expression"] == "Apache-2.0"
    assert said["License-File"] == "luml_lite/LICENSE"
    assert said["Keywords"]
    assert not [name for name in said.get_all("Classifier", []) if name.startswith("License ::")]
    needed = {re.split(r"[>=<\[; ]", each)[0] for each in said.get_all("Requires-Dist", []) if "extra ==" not in each}
    assert needed == {"msgspec", "urllib3"}


def test_an_index_would_take_both(sdist: Path, wheel: Path) -> None:
    run("twine", "check", "--strict", str(sdist), str(wheel), cwd=sdist.parent)
