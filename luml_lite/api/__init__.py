"""The platform's endpoints: one pure function an endpoint, from arguments to a Request of the value it answers."""
