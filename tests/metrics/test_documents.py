"""docs/metrics.md and the code tell of the same metrics."""

import re
from pathlib import Path

from foretell.metrics.families import ALL

TEXT = (Path(__file__).parents[2] / "docs" / "metrics.md").read_text()
ROW = re.compile(r"^\| `(foretell_\w+)` \| (\w+) \| ([\w, ]*)\|", re.MULTILINE)


def test_the_document_lists_each_metric_with_its_kind_and_labels() -> None:
    listed = {name: (kind, labels.strip()) for name, kind, labels in ROW.findall(TEXT)}

    assert listed == {family.name: (family.kind, ", ".join(family.labels)) for family in ALL}


def test_alert_rules_speak_of_metrics_that_exist() -> None:
    rules = TEXT[TEXT.index("groups:") :]
    named = set(re.findall(r"\bforetell_\w+", rules))

    assert {re.sub(r"_(bucket|count|sum)\Z", "", name) for name in named} <= {family.name for family in ALL}
