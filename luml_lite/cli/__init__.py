"""The command line, `luml-lite`: `commands.py` lists the commands, and each has a file of its own."""

from .commands import main as main
