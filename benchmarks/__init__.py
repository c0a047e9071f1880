"""Benchmarks of luml_lite, the published client and the floor on the same work: `python -m benchmarks`."""
