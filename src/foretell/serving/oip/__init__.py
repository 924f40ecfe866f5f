"""The Open Inference Protocol, version 2, over HTTP: with Triton's binary tensors and its model repository."""
