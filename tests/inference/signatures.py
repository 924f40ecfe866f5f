"""Signatures for tests: one of passengers that has every dtype, and any signature at all for Hypothesis."""

from collections.abc import Callable
from typing import Any

from hypothesis import strategies as st

from foretell.inference.errors import InvalidInput
from foretell.inference.signature import DType, Input, Output, Signature, Task

NUMBER = Output(name="fare", task=Task.REGRESSION)
PASSENGERS = Signature(
    inputs=(
        Input(name="pclass", dtype=DType.INT, range=(1.0, 3.0), limits=(1, None)),
        Input(name="sex", dtype=DType.CATEGORY, categories=("female", "male")),
        Input(name="age", dtype=DType.FLOAT, nullable=True, range=(0.42, 80.0), limits=(0.0, 130.0)),
        Input(name="embarked", dtype=DType.CATEGORY, categories=("C", "Q", "S"), closed=False, nullable=True),
        Input(name="cabin", dtype=DType.STRING, nullable=True),
        Input(name="boarded", dtype=DType.DATETIME, nullable=True),
        Input(name="alone", dtype=DType.BOOL),
        Input(name="deck", dtype=DType.CATEGORY, categories=(1, 2, 3), nullable=True),
    ),
    outputs=(Output(name="survived", task=Task.BINARY, classes=(0, 1), probabilities=True),),
)
PASSENGER: dict[str, Any] = {
    "pclass": 1,
    "sex": "female",
    "age": 29.0,
    "embarked": "S",
    "cabin": "B5",
    "boarded": "1912-04-10T12:00:00Z",
    "alone": True,
    "deck": 2,
}

NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20)
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
INTEGERS = st.integers(-(2**53), 2**53)
MOMENTS = st.datetimes().map(lambda moment: moment.isoformat() + "Z")


def refusal_of(read: Callable[..., Any], *arguments: Any) -> InvalidInput | None:
    """Return how `read` refused, or None when it did not; any other exception is the test's to fail by."""
    try:
        read(*arguments)
    except InvalidInput as refusal:
        return refusal
    return None


def taking(*inputs: Input) -> Signature:
    return Signature(inputs=inputs, outputs=(NUMBER,))


@st.composite
def an_input(draw: st.DrawFn, names: st.SearchStrategy[str] = NAMES) -> Input:
    dtype = draw(st.sampled_from(DType))
    fields: dict[str, Any] = {"nullable": draw(st.booleans()), "unit": draw(WORDS), "help": draw(WORDS)}
    if dtype is DType.CATEGORY:
        labels = draw(st.sampled_from([WORDS, INTEGERS, FLOATS]))
        fields["categories"] = tuple(draw(st.lists(labels, min_size=1, max_size=5, unique=True)))
        fields["closed"] = draw(st.booleans())
    if dtype in (DType.FLOAT, DType.INT):
        fields["range"] = draw(st.none() | st.tuples(FLOATS, FLOATS).map(lambda pair: tuple(sorted(pair))))
        fields["quantiles"] = draw(
            st.just(()) | st.lists(FLOATS, min_size=7, max_size=7).map(lambda found: tuple(sorted(found)))
        )
    return Input(name=draw(names), dtype=dtype, **fields)


@st.composite
def an_output(draw: st.DrawFn) -> Output:
    task = draw(st.sampled_from([task for task in Task if task is not Task.MULTI_OUTPUT]))
    classes: tuple[Any, ...] = ()
    if task is Task.BINARY:
        classes = draw(st.sampled_from([(0, 1), ("no", "yes"), (False, True), (-1.5, 1.5)]))
    elif task in (Task.MULTICLASS, Task.CLUSTERING):
        classes = tuple(draw(st.lists(st.integers(-9, 9), min_size=3, max_size=5, unique=True)))
    return Output(name=draw(NAMES), task=task, classes=classes, probabilities=bool(classes) and draw(st.booleans()))


def signatures() -> st.SearchStrategy[Signature]:
    return st.builds(
        Signature,
        inputs=st.lists(an_input(), min_size=1, max_size=5, unique_by=lambda source: source.name).map(tuple),
        outputs=st.lists(an_output(), min_size=1, max_size=3, unique_by=lambda output: output.name).map(tuple),
    )


def values_of(source: Input) -> st.SearchStrategy[Any]:
    """Return values that fit an input without limits."""
    fitting: st.SearchStrategy[Any]
    if source.dtype is DType.CATEGORY:
        fitting = st.sampled_from(source.categories)
    else:
        fitting = {
            DType.FLOAT: FLOATS | INTEGERS,
            DType.INT: INTEGERS,
            DType.BOOL: st.booleans(),
            DType.STRING: WORDS,
            DType.DATETIME: MOMENTS,
        }[source.dtype]
    return fitting | st.none() if source.nullable else fitting


@st.composite
def signature_and_rows(draw: st.DrawFn) -> tuple[Signature, list[dict[str, Any]]]:
    signature = draw(signatures())
    row = st.fixed_dictionaries({source.name: values_of(source) for source in signature.inputs})
    return signature, draw(st.lists(row, min_size=1, max_size=5))
