"""The platform's endpoints over the database, one file a resource."""
