"""The platform's endpoints, one file a resource. An operation takes a Context; routes.py has the table of paths."""
