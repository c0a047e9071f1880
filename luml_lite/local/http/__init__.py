"""The registry over HTTP: the server, its connections, request and response bodies, and limits."""
