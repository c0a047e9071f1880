"""The SQLite database of the registry. It knows nothing of the API that uses it."""
