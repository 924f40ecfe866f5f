"""Named, typed, shaped tensors, as the Open Inference Protocol has them, to a Batch and back. As strict as our own codec.

What comes in are untrusted bytes: sizes are compared before anything is made of them, and no value is changed on its way.
"""

from foretell.inference.tensors.tensor import Tensor

__all__ = ["Tensor"]
