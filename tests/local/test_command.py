"""The commands that serve a registry: what they print, why they fail, how SIGTERM ends them."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import urllib3

from .client import model
from .http.raw_client import read_rest, send_head

CLI = "import sys; from luml_lite.cli import main; sys.exit(main())"


def refuses_connections(base_url: str) -> bool:
    """Whether the server refuses new connections within a few seconds."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            send_head(base_url, "GET / HTTP/1.1").close()
        except ConnectionError:
            return True
        time.sleep(0.05)
    return False


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM cannot be caught there")
def test_sigterm_lets_transfers_end(tmp_path: Path) -> None:
    """An upload and a download are completed, and then the process ends without output."""
    command = [sys.executable, "-m", "luml_lite.local", "--dir", str(tmp_path / "r")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
            base_url = told["LUML_BASE_URL"]
            assert base_url.startswith("http://127.0.0.1:")
            place = f"organizations/{told['LUML_ORGANIZATION']}/orbits/{told['LUML_ORBIT']}"
            artifacts = f"{base_url}/v1/{place}/collections/{told['LUML_COLLECTION']}/artifacts"
            headers = {"authorization": f"Bearer {told['LUML_API_KEY']}"}
            made = urllib3.request("POST", artifacts, json=model(), headers=headers).json()
            put = made["upload_details"]["url"]
            size = 30_000_000
            assert urllib3.request("PUT", put, body=bytes(size)).status == 200
            one = f"{artifacts}/{made['artifact']['id']}"
            get = urllib3.request("GET", f"{one}/download-url", headers=headers).json()["url"]
            reading = send_head(base_url, f"GET {get.removeprefix(base_url)} HTTP/1.1")
            sending = send_head(base_url, f"PUT {put.removeprefix(base_url)} HTTP/1.1\nContent-Length: 6")
            sending.sendall(b"abc")
            assert reading.recv(12) == b"HTTP/1.1 200"
            process.send_signal(signal.SIGTERM)
            assert refuses_connections(base_url)
            sending.sendall(b"def")
            assert read_rest(sending).startswith(b"HTTP/1.1 200 ")
            assert len(read_rest(reading).partition(b"\r\n\r\n")[2]) == size
            sending.close()
            reading.close()
            out, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert (process.returncode, out, err) == (0, "", "")


@pytest.mark.parametrize("command", [["-m", "luml_lite.local"], ["-c", CLI, "serve"]])
def test_the_commands_say_why_they_cannot_serve(tmp_path: Path, command: list[str]) -> None:
    (tmp_path / "file").write_text("")
    run = [sys.executable, *command, "--dir", str(tmp_path / "file")]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "that is a file" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_command_prints_its_settings_and_ends_on_sigterm(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "luml_lite.local", "--dir", str(tmp_path / "r")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = dict(process.stdout.readline().strip().split("=", 1) for _ in range(5))
        try:
            headers = {"authorization": f"Bearer {told['LUML_API_KEY']}"}
            url = f"{told['LUML_BASE_URL']}/v1/organizations/{told['LUML_ORGANIZATION']}/orbits"
            (orbit,) = urllib3.request("GET", url, headers=headers).json()
            assert orbit["id"] == told["LUML_ORBIT"]
        finally:
            process.send_signal(signal.SIGTERM)
            out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (0, "", "")
