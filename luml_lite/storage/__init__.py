"""Requests to the buckets behind the platform: each file has the builders of a vendor beside their reply parsers."""
