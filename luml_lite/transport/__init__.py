"""How bytes move: a urllib3 pool, and the worker threads under asyncio and batches.

The contract of a transport (`core/protocols.py` has the protocol):

* it sends one prepared request, which has an absolute URL and every header, once. It neither retries nor redirects;
* it returns the response whatever its status. The body of a success goes to the request's FileSink where it has one;
* without a complete response it raises ConnectionFailed or TimedOut, with what was sent and received until then;
* a body of the wrong length is an IntegrityError, a local file that cannot be read a FileError, memory or descriptors
  that ran out a SystemLimitError, and Stopped is raised when the token was set;
* no exception refers to the URL, since a presigned URL is a secret;
* any number of threads may use it at the same time.
"""
