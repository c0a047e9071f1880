"""Servers that misbehave on purpose, on real sockets."""
