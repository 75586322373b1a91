"""The knowledge base: from help articles to passages that answer. Never imports the bot."""

import os

# Before any submodule can import onnxruntime or chromadb: both look for a telemetry host unless they are told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
os.environ.setdefault("ANONYMIZED_TELEMETRY", "False")
