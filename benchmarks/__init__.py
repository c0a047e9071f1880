"""Benchmarks of luml_lite, the published client and a baseline on the same work: `python -m benchmarks`.

The baseline does the work with bare sockets, hashlib, urllib3 and msgspec.
"""
