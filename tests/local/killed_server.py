"""A server for tests that kill it: `python -m tests.local.killed_server DIR` prints its address, key and ids."""

import sys
import threading

from luml_lite.local import serve
from luml_lite.local.storage.buckets import Layout

if __name__ == "__main__":
    with serve(sys.argv[1], layout=Layout(60_000, 20_000)) as served:
        sys.stdout.write(" ".join((served.base_url, *served.names)) + "\n")
        sys.stdout.flush()
        threading.Event().wait()
