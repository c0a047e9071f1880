"""The operations: what happens in which order, as flows. Nothing here does I/O; endpoints and vendors are below."""
