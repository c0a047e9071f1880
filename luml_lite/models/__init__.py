"""The resources of the registry as plain values, one file for each resource.

Decoding skips unknown fields of a newer server and keeps unknown enum values: compare with ==, never with `is`.
"""
