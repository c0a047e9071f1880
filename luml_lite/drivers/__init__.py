"""Drivers: they perform the effects of flows, blocking or under asyncio.

* `blocking.py` and `aio.py` have `run` and `iterate` and do the waiting: for time to pass, for a batch, for threads.
* `runner.py` steps a flow and performs its effects; its docstring describes the cleanup of an interrupted flow.
* `headers.py` prepares requests, `attempts.py` judges responses and spaces attempts, `batch.py` keeps a batch's state.
* `sigint.py` defers Ctrl-C while it would prevent the cleanup; only the blocking driver needs it.

Whatever decides is in the shared files, so that a blocking and an asyncio call do the same.
"""
