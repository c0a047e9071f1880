"""`python -m luml_lite.local --dir D`: serve a directory until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from . import serve


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve, print how to reach it, and go when told to."""
    parser = argparse.ArgumentParser(prog="python -m luml_lite.local", description="Serve a registry from a directory.")
    parser.add_argument("--dir", required=True, metavar="DIR", help="where everything is kept; made if missing")
    parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (default: this machine only)")
    parser.add_argument("--port", type=int, default=0, help="the port to listen on (default: any free one)")
    parser.add_argument(
        "--dialect", choices=("artifacts", "model_artifacts"), default="artifacts", help="which of the two is announced"
    )
    chosen = parser.parse_args(arguments)
    ended = threading.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: ended.set())
    with serve(chosen.dir, host=chosen.host, port=chosen.port, dialect=chosen.dialect) as served:
        sys.stdout.write(
            f"LUML_BASE_URL={served.base_url}\n"
            f"LUML_API_KEY={served.api_key}\n"
            f"LUML_ORGANIZATION={served.organization}\n"
            f"LUML_ORBIT={served.orbit}\n"
            f"LUML_COLLECTION={served.collection}\n"
        )
        sys.stdout.flush()
        ended.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
