"""The vocabulary of every floor above: requests, flows, limits, cancellation, redaction. Nothing here does I/O."""
