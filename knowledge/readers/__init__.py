"""One small file per format: bytes in, drafts of documents out."""
