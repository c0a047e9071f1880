"""Real storage servers for tests: a process, a bucket in it, and URLs that the vendor's own library signed.

Nothing here imitates a server; what a server does not do is not done.
"""
