"""The registry's own buckets: files, the index of objects, the S3 and Azure interfaces, and presigned URLs."""
