"""The resources of the registry as plain values, one file a resource.

Unknown fields from a newer server are skipped, unknown enum values are kept as they are: compare with ==, never `is`.
"""
