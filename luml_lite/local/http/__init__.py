"""The registry behind HTTP: the server, one connection, its bodies, its limits."""
