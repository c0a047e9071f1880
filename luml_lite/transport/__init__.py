"""How bytes move: the urllib3 pool that is used by default, and the worker threads under asyncio.

A transport sends one prepared request (absolute URL, every header) once and returns the answer, error statuses
included. It raises ConnectionFailed or TimedOut where no answer arrived, IntegrityError for a body of the wrong length,
Stopped when its token was set. It never retries and judges nothing. The protocol stands in `core/protocols.py`.
"""
