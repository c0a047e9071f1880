"""Run a server for as long as standard input stays open: `python guard.py COMMAND...`.

The pipe breaks however the tests end, SIGKILL included, so that no server outlives them.
"""

import os
import subprocess
import sys
import threading


def exit_with(child: "subprocess.Popen[bytes]") -> None:
    os._exit(abs(child.wait()) or 1)  # the server ended by itself: say so, whoever holds the pipe


if __name__ == "__main__":
    child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL)
    threading.Thread(target=exit_with, args=(child,), daemon=True).start()
    try:
        sys.stdin.buffer.read()
    finally:
        child.terminate()
        try:
            child.wait(3)
        except subprocess.TimeoutExpired:
            child.kill()
