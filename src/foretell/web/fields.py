"""One form field per input of a signature: the widget, the help and the marks a person needs to fill it in.

Nothing here validates: the strings of the form go to the codec as they were typed, and it decides.
"""

import math
from collections.abc import Iterator
from typing import Any

from django import forms
from django.forms.boundfield import BoundField
from django.utils.functional import Promise
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foretell.inference.signature import DType, Input, Label, Scalar

Attributes = dict[str, Any]

MAX_RADIOS = 7
MAX_OPTIONS = 200  # longer lists are searched by typing, not scrolled

Choices = tuple[tuple[str, "str | Promise"], ...]

YES_NO: Choices = (("true", gettext_lazy("yes")), ("false", gettext_lazy("no")))


class InputBoundField(BoundField):
    """A field whose id is its key in the form (``input-3``): the name of an input may hold anything."""

    field: "InputField"

    @property
    def auto_id(self) -> str:
        return self.name

    @property
    def datalist_id(self) -> str:
        return f"{self.name}_options"

    def as_widget(
        self, widget: forms.Widget | None = None, attrs: Attributes | None = None, only_initial: bool = False
    ) -> SafeString:
        """Show what was typed, also where a number or date control would throw it away for not being one."""
        if self.errors and isinstance(self.field.widget, (forms.NumberInput, forms.DateTimeInput)):
            widget = forms.TextInput(attrs=text_attributes(self.field.source))
        return super().as_widget(widget, attrs, only_initial)

    def build_widget_attrs(self, attrs: Attributes, widget: forms.Widget | None = None) -> Attributes:
        described = super().build_widget_attrs(attrs, widget)
        return {**described, "list": self.datalist_id} if self.field.suggestions else described


class InputField(forms.Field):
    """One input. Takes any text: the codec validates, and the form shows what it found."""

    bound_field_class = InputBoundField

    def __init__(self, source: Input) -> None:
        super().__init__(
            required=False, label=source.name, help_text=" ".join(hints(source)), widget=widget_for(source)
        )
        self.source = source
        self.unit = "" if f"({source.unit})" in source.name else source.unit
        self.is_required = not source.nullable
        self.suggestions = tuple(map(text_of, source.categories)) if is_typed_category(source) else ()


def widget_for(source: Input) -> forms.Widget:
    """Return the control that suits the input's datatype, with its bounds, step and example."""
    if source.dtype in (DType.FLOAT, DType.INT):
        return forms.NumberInput(attrs=number_attributes(source))
    if source.dtype is DType.DATETIME:
        return forms.DateTimeInput(attrs={"type": "datetime-local", "step": "1", **common_attributes(source)})
    if source.dtype is DType.BOOL:
        return forms.Select(choices=with_empty_choice(source, YES_NO), attrs=common_attributes(source))
    if source.dtype is DType.CATEGORY and not is_typed_category(source):
        return category_widget(source)
    return forms.TextInput(attrs=text_attributes(source))


def category_widget(source: Input) -> forms.Widget:
    choices: Choices = tuple((text_of(label), text_of(label) or _("(empty)")) for label in source.categories)
    if len(choices) > MAX_RADIOS:
        return forms.Select(choices=with_empty_choice(source, choices), attrs=common_attributes(source))
    if source.nullable:
        choices = (*choices, ("", _("not known")))
    return forms.RadioSelect(choices=choices)


def is_typed_category(source: Input) -> bool:
    """Whether a category is typed, with suggestions: it takes values beyond the known ones, or knows too many."""
    return source.dtype is DType.CATEGORY and (not source.closed or len(source.categories) > MAX_OPTIONS)


def with_empty_choice(source: Input, choices: Choices) -> Choices:
    """Put an empty choice first, also where a value is owed: no answer is preselected for a person."""
    if not source.nullable and any(value == "" for value, _label in choices):
        return choices  # the empty word is one of the categories
    return (("", _("not known") if source.nullable else _("Choose …")), *choices)


def common_attributes(source: Input) -> Attributes:
    # Not `required`: then the browser would hold the form back with a bubble; the server's message stands beside the field.
    return {} if source.nullable else {"aria-required": "true"}


def number_attributes(source: Input) -> Attributes:
    """Bounds are the author's limits, never the range seen in training: outside of that is a warning."""
    attributes = {
        "step": "1" if source.dtype is DType.INT else "any",
        "inputmode": "decimal",
        **text_attributes(source),
    }
    least, most = source.limits or (None, None)
    if least is not None:
        # An int's steps are counted from `min`: a bound of 0.5 must not make 1 invalid.
        attributes["min"] = text_of(math.ceil(least) if source.dtype is DType.INT else least)
    if most is not None:
        attributes["max"] = text_of(math.floor(most) if source.dtype is DType.INT else most)
    return attributes


def text_attributes(source: Input) -> Attributes:
    attributes = {"autocomplete": "off", **common_attributes(source)}
    if source.example is not None:
        attributes["placeholder"] = _("e.g. %(example)s") % {"example": text_of(source.example)}
    return attributes


def hints(source: Input) -> Iterator[str]:
    """Yield what helps to fill in the input, a sentence each: the author's help, bounds, and what training has seen."""
    if source.help:
        yield source.help
    yield from limit_hints(source)
    if source.range is not None and source.dtype in (DType.FLOAT, DType.INT):
        least, most = (number_text(bound) for bound in source.range)
        yield _("Seen in training: %(least)s to %(most)s.") % {"least": least, "most": most}


def limit_hints(source: Input) -> Iterator[str]:
    least, most = (None if bound is None else number_text(bound) for bound in source.limits or (None, None))
    if least is not None and most is not None:
        yield _("From %(least)s to %(most)s.") % {"least": least, "most": most}
    elif least is not None:
        yield _("At least %(least)s.") % {"least": least}
    elif most is not None:
        yield _("At most %(most)s.") % {"most": most}


def number_text(number: float) -> str:
    """Return a number for people: no tail of zeros, no more digits than mean something."""
    return f"{number:.10g}"


def text_of(value: Scalar | Label) -> str:
    """Return a value as a form carries it; the codec reads it back as the same value."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
