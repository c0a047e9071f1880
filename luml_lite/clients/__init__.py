"""Every operation as a function and as a method of a client, for blocking and for asyncio programs."""
