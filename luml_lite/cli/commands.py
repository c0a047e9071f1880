"""The commands: `luml-lite demo` shows the main job, `luml-lite serve` serves a registry from a directory."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from contextlib import suppress

from .. import __version__
from ..errors import LumlError


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status."""
    parser = argparse.ArgumentParser(prog="luml-lite", description="A small client core for LUML registries.")
    parser.add_argument("--version", action="version", version=f"luml-lite {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="{demo,serve}", required=True)
    commands.add_parser("demo", help="upload, find, download, update and delete a model in a temporary registry")
    commands.add_parser("serve", help="serve a registry from a directory over HTTP; serve --help", add_help=False)
    options, rest = parser.parse_known_args(argv)
    if options.command == "serve":
        from ..local.__main__ import main as serve

        return serve(rest, prog="luml-lite serve")
    if rest:
        parser.error(f"unrecognized arguments: {' '.join(rest)}")
    from .demo import demo

    try:
        demo(print)
        print(end="", flush=True)  # noqa: T201
    except (LumlError, OSError, ValueError) as error:  # a ValueError: standard output is closed
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        with suppress(OSError, ValueError):
            sys.stdout.close()  # otherwise Python writes to it again at exit, and prints a traceback
        return 1
    return 0
