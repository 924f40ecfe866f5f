"""The YAML at the head of a model card, between two lines of `---`, as on Hugging Face.

It is read as YAML 1.2 reads it: `no` is a word and a date is a text, so that all of it is plain JSON. Security: aliases are
refused, with which a few lines become gigabytes.
"""

import math
import re
from collections.abc import Hashable, Mapping
from typing import Any

import yaml

from foretell.errors import ForetellError
from foretell.problems import Fault

FENCE = "---"
MAX_CHARS = 50_000
MAX_DEPTH = 20


class InvalidFrontMatter(ForetellError):
    code = "invalid_front_matter"
    kind = "invalid"

    def __init__(self, detail: str) -> None:
        super().__init__(f"text: {detail}")
        self.faults = [Fault(attr="text", code=self.code, detail=detail)]


def split_card(text: str) -> tuple[dict[str, Any], str]:
    """Return the front matter and the Markdown after it; a text that does not begin with `---` has none.

    Raises
    ------
    InvalidFrontMatter
        names the line.
    """
    lines = text.splitlines(keepends=True)
    if not lines or lines[0].strip() != FENCE:
        return {}, text
    end = next((number for number, line in enumerate(lines[1:], 1) if line.strip() == FENCE), None)
    if end is None:
        raise InvalidFrontMatter(
            "The front matter begins with '---' and does not end. Expected a second line of '---'."
        )
    return read_yaml("".join(lines[1:end])), "".join(lines[end + 1 :]).lstrip("\r\n")


def read_yaml(text: str) -> dict[str, Any]:
    if len(text) > MAX_CHARS:
        raise InvalidFrontMatter(f"The front matter has {len(text):,} characters; at most {MAX_CHARS:,} are read.")
    try:
        value = yaml.load(text, Loader=_Loader)  # noqa: S506  a SafeLoader, and stricter
    except yaml.MarkedYAMLError as err:
        line = f"line {err.problem_mark.line + 2}: " if err.problem_mark else ""  # the fence is the first
        raise InvalidFrontMatter(f"The front matter is no YAML that is read here. {line}{err.problem}.") from err
    except (yaml.YAMLError, ValueError, RecursionError) as err:
        raise InvalidFrontMatter("The front matter is no YAML that is read here.") from err
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InvalidFrontMatter(
            f"The front matter is a {type(value).__name__}; expected names with values, such as 'license: mit'."
        )
    return value


class _Loader(yaml.SafeLoader):
    """Names are texts, said once; values are texts, finite numbers, true, false and null."""

    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            raise self._refused("aliases are not allowed", _next_event(self))
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise self._refused(f"it is nested deeper than {MAX_DEPTH} levels", _next_event(self))
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Hashable, Any]:
        names: set[str] = set()
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode) or "\0" in key.value:
                raise self._refused("a name is a text", key)
            key.tag = "tag:yaml.org,2002:str"
            if key.value in names:
                raise self._refused(f"{key.value!r:.60} is there twice", key)
            names.add(key.value)
        return dict(super().construct_mapping(node, deep=True))

    def construct_yaml_float(self, node: Any) -> float:
        value = super().construct_yaml_float(node)
        if not math.isfinite(value):
            raise self._refused(f"{node.value!r:.60} is no finite number", node)
        return float(value)

    def construct_yaml_str(self, node: Any) -> str:
        text = str(self.construct_scalar(node))
        if "\0" in text or (not text.isascii() and any("\ud800" <= character <= "\udfff" for character in text)):
            raise self._refused("a text has a character that cannot be kept", node)
        return text

    @staticmethod
    def _refused(problem: str, place: Any) -> yaml.MarkedYAMLError:
        return yaml.constructor.ConstructorError(None, None, problem, place.start_mark)


def _next_event(loader: Any) -> Any:
    return loader.peek_event()


def _resolvers() -> Mapping[Any, list[tuple[str, Any]]]:
    """Return SafeLoader's, without dates, merges, and the words that YAML 1.1 took for booleans and numbers."""
    dropped = {f"tag:yaml.org,2002:{name}" for name in ("timestamp", "merge", "value", "bool", "int")}
    return {
        first: kept
        for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        if (kept := [(tag, pattern) for tag, pattern in resolvers if tag not in dropped])
    }


PLAIN = ("str", "int", "float", "bool", "null", "seq", "map")


def _set_up() -> None:
    constructors = yaml.SafeLoader.yaml_constructors
    plain = {f"tag:yaml.org,2002:{name}" for name in PLAIN}
    _Loader.yaml_constructors = {tag: made for tag, made in constructors.items() if tag in plain or tag is None}
    _Loader.yaml_implicit_resolvers = dict(_resolvers())
    _Loader.add_implicit_resolver(
        "tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z"), list("tTfF")
    )
    _Loader.add_implicit_resolver(
        "tag:yaml.org,2002:int", re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z"), list("-+0123456789")
    )
    _Loader.add_constructor("tag:yaml.org,2002:float", _Loader.construct_yaml_float)
    _Loader.add_constructor("tag:yaml.org,2002:str", _Loader.construct_yaml_str)


_set_up()
