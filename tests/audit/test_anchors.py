"""Where each chain was is kept outside the database as well, signed."""

import json
from pathlib import Path

import pytest
from django.db import transaction
from django.utils import timezone

from foretell.audit.anchors import AnchorsDamaged, accept_chain, anchors_path, keep_anchors, read_anchors
from foretell.audit.models import Entry
from foretell.audit.recording import record
from tests.audit.tampering import chain_of, execute
from tests.cast import House


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.conf import settings

    monkeypatch.setattr(settings, "FORETELL_HOME", tmp_path)


def changed(house: House) -> Entry:
    with house.inside():
        with transaction.atomic():
            record(action="model.changed", target=("model", "wine"))
        row: Entry = Entry.objects.order_by("-position")[0]
        return row


def test_an_anchor_is_the_end_of_its_chain(acme: House, globex: House) -> None:
    row = changed(acme)
    changed(globex)

    broken = keep_anchors(chains_of=[acme.tenant, globex.tenant], now=timezone.now())

    kept = read_anchors()
    assert broken == []
    assert (kept[acme.tenant.schema_name].position, kept[acme.tenant.schema_name].digest) == (row.position, row.digest)
    assert len(kept) == 2


def test_an_anchor_moves_on_with_its_chain(acme: House) -> None:
    changed(acme)
    keep_anchors(chains_of=[acme.tenant], now=timezone.now())

    row = changed(acme)
    keep_anchors(chains_of=[acme.tenant], now=timezone.now())

    assert read_anchors()[acme.tenant.schema_name].position == row.position


def test_an_anchor_stays_where_the_chain_does_not_go_through_it(acme: House) -> None:
    changed(acme)
    with chain_of(acme) as rows:
        keep_anchors(chains_of=[acme.tenant], now=timezone.now())
        kept = read_anchors()
        execute("UPDATE audit_entry SET digest = repeat('1', 64) WHERE id = %s", rows[-1].pk)

        broken = keep_anchors(chains_of=[acme.tenant], now=timezone.now())

    assert broken == [acme.tenant.schema_name]
    assert read_anchors() == kept


def test_an_anchor_of_a_tenant_that_is_gone_goes(acme: House, globex: House) -> None:
    changed(acme)
    changed(globex)
    keep_anchors(chains_of=[acme.tenant, globex.tenant], now=timezone.now())

    keep_anchors(chains_of=[acme.tenant], now=timezone.now())

    assert list(read_anchors()) == [acme.tenant.schema_name]


def test_what_was_accepted_is_the_anchor_from_then_on(acme: House, globex: House) -> None:
    changed(acme)
    changed(globex)
    keep_anchors(chains_of=[globex.tenant], now=timezone.now())

    with acme.inside():
        accepted = accept_chain(now=timezone.now())

    assert read_anchors()[acme.tenant.schema_name] == accepted
    assert len(read_anchors()) == 2


def test_a_file_that_was_changed_is_no_proof_of_anything(acme: House) -> None:
    changed(acme)
    keep_anchors(chains_of=[acme.tenant], now=timezone.now())
    content = json.loads(anchors_path().read_text())
    content["heads"][acme.tenant.schema_name]["position"] -= 1
    anchors_path().write_text(json.dumps(content))

    with pytest.raises(AnchorsDamaged, match=r"heads\.json"):
        read_anchors()


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", '{"heads": {"x": {}}, "seal": ""}', '{"heads": {"x": 1}, "seal": ""}']
)
def test_a_file_that_cannot_be_read_says_so(content: str) -> None:
    anchors_path().parent.mkdir()
    anchors_path().write_text(content)

    with pytest.raises(AnchorsDamaged):
        read_anchors()


def test_where_none_was_kept_there_is_none() -> None:
    assert read_anchors() == {}


def test_nobody_else_reads_the_file(acme: House) -> None:
    changed(acme)
    keep_anchors(chains_of=[acme.tenant], now=timezone.now())

    assert anchors_path().stat().st_mode & 0o777 == 0o600
