"""Ctrl-C while a server stalls: the call ends promptly, after its flow has cleaned up, as KeyboardInterrupt."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from .silent_server import PROMPT, silent_server

ROOT = Path(__file__).parents[2]
SCRIPT = """
import signal, sys
from functools import partial
from pathlib import Path
import luml_lite
from luml_lite import Config
from luml_lite.files.digests import hash_file
from luml_lite.core.flow import gather, local
from tests.drivers.silent_server import PATIENT, put_request

say = partial(print, flush=True)
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it

def flow():
    try:
        print("ready", flush=True)
        if sys.argv[1] == "transfer":
            yield from gather([put_request(sys.argv[2], Path(sys.argv[3]))] * 3)
        while sys.argv[1] == "hash":
            yield from local(hash_file, sys.argv[3])
    except Exception as error:
        yield from local(say, type(error).__name__, "cleaned up")
        raise

try:
    luml_lite.run(flow(), PATIENT)
except KeyboardInterrupt:
    print("KeyboardInterrupt", flush=True)
"""


@pytest.mark.parametrize("phase", ["transfer", "hash"])
def test_ctrl_c_has_the_flow_clean_up_and_is_raised_again(phase: str, big: Path) -> None:
    """SIGINT during a stalled transfer or a long hash ends the call promptly, as KeyboardInterrupt."""
    with silent_server() as base:
        command = [sys.executable, "-c", SCRIPT, phase, base, str(big)]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            time.sleep(0.5)
            start = time.monotonic()
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=60)
    assert rest == "Interrupted cleaned up\nKeyboardInterrupt\n"
    assert time.monotonic() - start < PROMPT
