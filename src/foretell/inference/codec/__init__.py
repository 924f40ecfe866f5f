"""From what came over the wire to a Batch, strictly, and from Predictions back. The signature alone decides.

A number is a number: nothing is coerced, guessed or silently dropped. What does not fit is an InvalidInput with every
fault in it (at most 100), each naming its place, what was found and what is allowed.
"""

from foretell.inference.codec.parsed import MAX_PROBLEMS, MAX_ROWS, ParsedRows, Table

__all__ = ["MAX_PROBLEMS", "MAX_ROWS", "ParsedRows", "Table"]
