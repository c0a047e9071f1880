"""The rows of the registry in SQLite."""
