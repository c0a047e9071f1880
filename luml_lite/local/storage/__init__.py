"""The buckets of the registry: objects as files, and the S3 and Azure faces over them."""
