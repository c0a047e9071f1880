"""The buckets behind the platform: request builder and reply parser side by side, one file a vendor."""
