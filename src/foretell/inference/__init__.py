"""Arrays in, arrays out: signature, codecs, runtimes, conversion, sandbox. No framework, no database, no network."""

import os

# Security: since 1.29 onnxruntime reports its use, hashes of graphs among it, to its maker unless told not to before it
# is imported. Every import of it is below this package.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
