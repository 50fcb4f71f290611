"""Images in messages: upload, re-encoding, storage in a folder or in S3, delivery."""
