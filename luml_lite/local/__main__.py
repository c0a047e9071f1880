"""`python -m luml_lite.local`, `luml-lite serve`: serve a directory until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import errno
import signal
import sqlite3
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import get_args

from ..config import Dialect
from . import serve

_TICK = 0.1  # seconds between two looks for a signal


def main(arguments: Sequence[str] | None = None, *, prog: str = "python -m luml_lite.local") -> int:
    """Serve a directory, print the settings of a client, and return at a signal: 0, or 1 if the server cannot start."""
    parser = argparse.ArgumentParser(
        prog=prog,
        description="Serve a registry from a directory until Ctrl-C. The settings that lead a client there are printed "
        "as lines for the environment.",
    )
    directory = "the directory of the registry; created if it is missing (default: %(default)s)"
    parser.add_argument("--dir", default="luml-registry", metavar="DIR", help=directory)
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
    parser.add_argument("--port", type=_port, default=0, help="the port to listen on (default: any free one)")
    dialect = "the dialect of the printed settings"
    parser.add_argument("--dialect", choices=get_args(Dialect), default="artifacts", help=dialect)
    args = parser.parse_args(arguments)
    signals: list[int] = []
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda number, _: signals.append(number))
    with ExitStack() as stack:
        try:
            served = stack.enter_context(serve(args.dir, host=args.host, port=args.port, dialect=args.dialect))
        except (OSError, RuntimeError, sqlite3.Error) as error:
            sys.stderr.write(f"error: cannot serve {args.dir} on {args.host}: {_reason(error)}\n")
            return 1
        sys.stdout.write(
            f"LUML_BASE_URL={served.base_url}\n"
            f"LUML_API_KEY={served.api_key}\n"
            f"LUML_ORGANIZATION={served.organization}\n"
            f"LUML_ORBIT={served.orbit}\n"
            f"LUML_COLLECTION={served.collection}\n"
        )
        sys.stdout.flush()
        # A lock could be held when the handler runs, and the system may give the signal to another thread, which does
        # not end an unlimited wait.
        while not signals:
            time.sleep(_TICK)
    return 0


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is 0 to 65535, not {text!r}")
    return int(text)


def _reason(error: Exception) -> str:
    """Why the server cannot start, and what to do about it."""
    if isinstance(error, FileExistsError | NotADirectoryError):
        return "that is a file; give a directory, or a path that does not exist yet"
    if isinstance(error, sqlite3.DatabaseError):
        return f"its registry.db cannot be used ({error}); give the directory of a registry, or a new one"
    if isinstance(error, OSError):
        advice = "; without --port any free one is taken" if error.errno == errno.EADDRINUSE else ""
        return f"{error.strerror or error}{advice}"
    return str(error)


if __name__ == "__main__":
    sys.exit(main())
