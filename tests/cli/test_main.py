"""The command line: both commands do what their help says, and a mistake is one line on stderr."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import luml_lite
from luml_lite import cli
from luml_lite.local.__main__ import main as serve
from luml_lite.testing import write_model


def test_the_demo_shows_the_main_job(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["demo"]) == 0
    said = capsys.readouterr().out
    for word in ("uploaded", "listed", "found", "equal to the original", "updated", "the registry now finds None"):
        assert word in said


def test_the_printed_settings_reach_the_served_registry(tmp_path: Path) -> None:
    """A server that is started again after SIGTERM has the same key and the same models."""
    write_model(str(tmp_path / "model.fnnx"), {"F1": 0.9})
    command = [sys.executable, "-m", "luml_lite", "serve", "--dir", str(tmp_path / "registry")]
    for names in ([], ["mine"]):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            try:
                told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
                cfg = luml_lite.Config(**{name.removeprefix("LUML_").lower(): value for name, value in told.items()})
                assert [row.model_name for row in luml_lite.list_all(cfg)] == names
                luml_lite.upload(cfg, tmp_path / "model.fnnx", "mine")
            finally:
                process.send_signal(signal.SIGTERM)
            assert process.wait(60) == 0


MISTAKES = [
    ([], 2, "the following arguments are required: {demo,serve}"),
    (["demmo"], 2, "invalid choice: 'demmo'"),
    (["demo", "--fast"], 2, "unrecognized arguments: --fast"),
    (["serve", "--dir", "new", "--port", "70000"], 2, "a port is 0 to 65535, not '70000'"),
    (["serve", "--dir", "new", "--port", "BUSY"], 1, "without --port any free one is taken"),
    (["serve", "--dir", "file"], 1, "cannot serve file on 127.0.0.1: that is a file; give a directory"),
    (["serve", "--dir", "file/below"], 1, "that is a file; give a directory"),
    (["serve", "--dir", "other"], 1, "registry.db cannot be used"),
]


@pytest.mark.parametrize(("arguments", "status", "words"), MISTAKES, ids=[" ".join(each) for each, *_ in MISTAKES])
def test_a_mistake_is_one_line_without_a_traceback(
    arguments: list[str], status: int, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("file").write_text("no directory")
    Path("other").mkdir()
    Path("other/registry.db").write_text("no database, " * 100)
    with socket.create_server(("127.0.0.1", 0)) as busy:
        given = [str(busy.getsockname()[1]) if each == "BUSY" else each for each in arguments]
        command = [sys.executable, "-m", "luml_lite", *given]
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=60, env={**os.environ, "COLUMNS": "200"}
        )
    assert done.returncode == status
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_help_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    for arguments, words in ((["--version"], luml_lite.__version__), (["serve", "--help"], "usage: luml-lite serve")):
        with pytest.raises(SystemExit) as caught:
            cli.main(arguments)
        assert caught.value.code == 0
        assert words in capsys.readouterr().out
    with pytest.raises(SystemExit):
        serve(["--help"])
    assert "usage: python -m luml_lite.local" in capsys.readouterr().out


@pytest.mark.parametrize("module", ["luml_lite", "luml_lite.cli"])
def test_the_command_line_is_a_module_too(module: str) -> None:
    done = subprocess.run([sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"luml-lite {luml_lite.__version__}\n"


@pytest.mark.parametrize("redirection", [">/dev/full", "| exec true", ">&-"])
def test_the_demo_on_a_full_or_closed_output_ends_in_one_line(redirection: str) -> None:
    """It says what is wrong with the output, without a traceback; without any output there is nothing to say."""
    command = f"{sys.executable} -m luml_lite demo {redirection}"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=120, check=False)
    assert done.stderr.count("\n") <= 1
    assert done.stderr.startswith("error: [Errno ") or redirection == ">&-"
