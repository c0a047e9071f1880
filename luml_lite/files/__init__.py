"""Code that touches the local disk: archives, partial files, journals, locks, streams and digests."""
