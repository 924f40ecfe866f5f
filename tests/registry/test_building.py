"""A build is done once, whatever dies meanwhile: the lease decides who, the fence whose outcome counts."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from django.utils import timezone

from foretell.errors import ForetellError
from tests.cast import House
from tests.http import HttpFor
from tests.models import converted_sum_model, ready_sum_model, sum_graph
from tests.registry.test_push import push

LATER = timedelta(minutes=5)


@pytest.fixture
def version(acme: House, alice: httpx.Client) -> Any:
    """A version that was pushed, and that nobody has begun to build."""
    from foretell.registry.models import ModelVersion

    assert push(alice).status_code == 201
    with acme.inside():
        return ModelVersion.objects.get()


def built() -> Any:
    from foretell.inference.building import BuiltModel
    from foretell.inference.converted import ConvertedModel

    model = ConvertedModel.from_json(converted_sum_model(), graph=sum_graph())
    return BuiltModel(
        runtime="onnx", artifact=sum_graph(), signature=model.signature, parity=model.parity, examples=model.examples,
        libraries=model.libraries, reason=model.reason,
    )  # fmt: skip


def test_only_one_worker_builds_while_its_lease_lasts(acme: House, version: Any) -> None:
    from foretell.registry import building

    with acme.inside():
        assert building.claim(version.pk, now=timezone.now()) is not None
        assert building.claim(version.pk, now=timezone.now()) is None


def test_what_a_dead_worker_left_is_queued_again_and_taken_over(acme: House, version: Any) -> None:
    from foretell.registry import building

    with acme.inside():
        building.claim(version.pk, now=timezone.now())
        assert building.resume_builds(now=timezone.now()) == 0
        assert building.resume_builds(now=timezone.now() + LATER) == 1
        assert building.claim(version.pk, now=timezone.now() + LATER) is not None


def test_a_version_whose_worker_died_is_built_by_the_very_job_that_resumes_it(acme: House, version: Any) -> None:
    """Resuming once renewed the dead worker's own lease, so that nobody ever took the version over."""
    from foretell.registry import building

    died_at = timezone.now()
    with acme.inside():
        building.claim(version.pk, now=died_at)
        resumed_at = died_at + building.LEASE + timedelta(seconds=1)
        building.resume_builds(now=resumed_at)
        assert building.claim(version.pk, now=resumed_at) is not None


def test_a_worker_that_was_thought_dead_does_not_write_over_its_successor(acme: House, version: Any) -> None:
    from foretell.registry import building, storage

    with acme.inside():
        first = building.claim(version.pk, now=timezone.now())
        second = building.claim(version.pk, now=timezone.now() + LATER)
        assert first is not None
        assert second is not None
        building.fail(first, ForetellError("late", code="late"))
        building.finish(second, built(), storage.store([sum_graph()]))
        building.fail(first, ForetellError("later", code="later"))
        version.refresh_from_db()

    assert (version.state, version.reason_code) == ("ready", "")


def test_a_build_that_kills_every_worker_fails_after_the_third(acme: House, version: Any) -> None:
    from foretell.registry import building

    with acme.inside():
        for deaths in range(4):
            building.claim(version.pk, now=timezone.now() + deaths * LATER)
        version.refresh_from_db()

    assert (version.state, version.reason_code) == ("failed", "build_interrupted")


def test_while_the_sandbox_is_away_a_build_waits_and_nothing_is_lost(acme: House, version: Any, tmp_path: Any) -> None:
    from foretell.inference.sandbox import Sandbox
    from foretell.registry import building

    with acme.inside():
        building.build_version(version_id=version.pk, sandbox=Sandbox(tmp_path / "nobody.sock"))
        version.refresh_from_db()
        assert (version.state, version.reason_code) == ("quarantined", "sandbox_unavailable")
        assert building.resume_builds(now=timezone.now() + LATER) == 1


def test_why_a_version_waited_is_forgotten_once_it_is_ready(acme: House, version: Any, tmp_path: Any) -> None:
    from foretell.inference.sandbox import Sandbox
    from foretell.registry import building, storage

    with acme.inside():
        building.build_version(version_id=version.pk, sandbox=Sandbox(tmp_path / "nobody.sock"))
        claimed = building.claim(version.pk, now=timezone.now() + LATER)
        assert claimed is not None
        building.finish(claimed, built(), storage.store([sum_graph()]))
        version.refresh_from_db()

    assert (version.state, version.reason_code, version.reason) == ("ready", "", "")


def test_an_alias_stays_with_the_later_push_when_the_earlier_is_built_last(acme: House, alice: httpx.Client) -> None:
    from foretell.registry import building, storage
    from foretell.registry.models import ModelVersion

    push(alice, alias="champion")
    push(alice, alias="champion", refinements={"inputs": {"a": {"unit": "m"}}})
    with acme.inside():
        claims = [building.claim(row.pk, now=timezone.now()) for row in ModelVersion.objects.order_by("-number")]
        for claimed in claims:
            assert claimed is not None
            building.finish(claimed, built(), storage.store([sum_graph()]))

    assert alice.get("/api/v1/models/sum/").json()["aliases"] == {"champion": 2}
    assert alice.get("/api/v1/models/sum/versions/1/").json()["reason"]["code"] == "alias_not_moved"


def test_an_artifact_that_cannot_be_used_fails_with_a_reason_for_a_person(
    acme: House, alice: httpx.Client, tmp_path: Any
) -> None:
    from foretell.inference.sandbox import Sandbox
    from foretell.registry import building
    from foretell.registry.models import ModelVersion

    alice.post("/api/v1/models/sum/versions/", files=[("artifact", ("model.h5", b"\x89HDF\r\n\x1a\n" + b"0" * 100))])
    with acme.inside():
        building.build_version(version_id=ModelVersion.objects.get().pk, sandbox=Sandbox(tmp_path / "nobody.sock"))

    version = alice.get("/api/v1/models/sum/versions/1/").json()
    assert (version["state"], version["reason"]["code"]) == ("failed", "unreadable_artifact")
    assert "HDF5" in version["reason"]["message"]


def test_a_seal_of_one_tenant_is_worth_nothing_in_another(acme: House, globex: House, http_for: HttpFor) -> None:
    from foretell.registry.models import ModelVersion

    ours, theirs = ready_sum_model(acme), ready_sum_model(globex, by="carol")
    with globex.inside():
        ModelVersion.objects.filter(pk=theirs.pk).update(seal=ours.seal)

    answer = http_for("carol").post("/api/v1/models/sum/predict/", json={"a": 1, "b": 2})

    assert answer.json()["code"] == "seal_broken"


def test_files_that_no_version_needs_are_swept_after_an_hour_and_others_never(acme: House) -> None:
    from foretell.registry import storage

    version = ready_sum_model(acme)
    with acme.inside():
        storage.sweep(version.files(), now=timezone.now() + timedelta(hours=2))
        orphan = storage.store([b"nobody needs this"])
        assert storage.sweep(version.files(), now=timezone.now()) == 0
        assert storage.sweep(version.files(), now=timezone.now() + timedelta(hours=2)) == 1
        with pytest.raises(storage.ArtifactDamaged):
            storage.read(orphan.sha256)
        assert storage.read(version.sha256) == sum_graph()


def test_an_upload_that_breaks_off_leaves_nothing(acme: House) -> None:
    from django.conf import settings

    from foretell.registry import storage

    def breaking() -> Any:
        yield b"half"
        raise ConnectionError

    with acme.inside():
        before = set((settings.ARTIFACT_ROOT / str(acme.tenant.id)).glob("*"))
        with pytest.raises(ConnectionError):
            storage.store(breaking())
        assert set((settings.ARTIFACT_ROOT / str(acme.tenant.id)).glob("*")) == before


def test_a_full_disk_keeps_nothing_and_says_so(
    acme: House, erin: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    import errno
    import os

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    answer = push(erin)

    assert (answer.status_code, answer.json()["code"]) == (503, "storage_full")
    assert erin.get("/api/v1/models/").json()["count"] == 0


def test_a_version_of_a_model_that_was_archived_meanwhile_gets_ready_and_no_alias(
    acme: House, alice: httpx.Client
) -> None:
    from foretell.registry import building, storage
    from foretell.registry.models import ModelVersion

    push(alice, alias="champion")
    alice.delete("/api/v1/models/sum/")
    with acme.inside():
        claimed = building.claim(ModelVersion.objects.get().pk, now=timezone.now())
        assert claimed is not None
        building.finish(claimed, built(), storage.store([sum_graph()]))
        version = ModelVersion.objects.get()

    assert (version.state, version.reason_code) == ("ready", "alias_not_moved")
    assert alice.get("/api/v1/models/sum/").json()["aliases"] == {}
