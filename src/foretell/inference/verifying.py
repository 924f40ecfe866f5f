"""What a version is put through in each process that will serve it, before it gets to see a request."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from foretell.inference.codec.answers import encoded_answer
from foretell.inference.codec.fast_rows import fast_rows
from foretell.inference.errors import ParityFailed
from foretell.inference.examples import Examples
from foretell.inference.parity import compare
from foretell.inference.predicting import LoadedModel, predict


def verify(model: LoadedModel, examples: Mapping[str, Any] | None, *, accept_difference: float | None = None) -> None:
    """Let a model answer its stored examples, and hold that against the stored answers, as its build did.

    Optimization: the first run of a graph costs many times the later ones, and so does the first use of a signature; both
    happen here, where no caller waits for them.

    Parameters
    ----------
    examples
        What `Examples.to_json` wrote; None or empty where a version has none.
    accept_difference
        What the author accepted when it was built.

    Raises
    ------
    ParityFailed
        when it does not answer as its author did.
    InferenceError
        when it does not answer at all, or the examples are not its own.
    """
    fast_rows(model.signature)
    if not examples:
        return
    known = Examples.from_json(examples, model.signature)
    if not len(known):
        return
    answers = predict(model, known.batch)
    found = compare(known.answers, answers)
    if not found.is_within(accept_difference):
        raise ParityFailed(f"The model does not answer its {len(known)} examples as its author did: {found.reason}.")
    predict(model, known.batch.take(np.array([0])))
    encoded_answer(model.signature, answers, is_single=False, model="", version=0, id="")
