"""A tenant's versions in this process's memory: found by row and seal, verified before they are let in."""

from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from django.conf import settings

from foretell.core.tenancy import current_tenant
from foretell.inference.artifacts import load_model
from foretell.inference.converted import RuntimeName
from foretell.inference.errors import ArtifactError, InvalidSignature, RunFailed
from foretell.inference.loaded_models import LoadedModels, estimated_bytes
from foretell.inference.predicting import LoadedModel
from foretell.inference.sandbox import Sandbox
from foretell.inference.verifying import verify
from foretell.registry import storage
from foretell.registry.models import ModelVersion
from foretell.registry.sealing import SealBroken, check_seal

log = structlog.get_logger(__name__)

Key = tuple[str, int, str]  # tenant, version, seal

#: What this process serves from, whichever face asks.
loaded_models = LoadedModels(max_bytes=settings.MODEL_MEMORY_BYTES)


@contextmanager
def borrowed_model(version: ModelVersion) -> Iterator[LoadedModel]:
    """Lend a ready version's model, from memory or loaded now.

    Raises
    ------
    SealBroken, ArtifactDamaged
        where the row or the file is not what was built; then nothing of it is served.
    """
    with loaded_models.borrowed(key_of(version), size_of(version), lambda: load_version(version)) as model:
        yield model


def forget_all() -> None:
    loaded_models.clear()


def key_of(version: ModelVersion) -> Key:
    """Return what the version is found by: a row that is built again, or restored, is another model."""
    return str(current_tenant().id), version.pk, version.seal


def size_of(version: ModelVersion) -> int:
    return estimated_bytes(_runtime(version), version.size_bytes)


def load_version(version: ModelVersion) -> LoadedModel:
    """Return the version's model, checked against its seal, its file's hash and its author's own answers.

    Raises
    ------
    SealBroken, ArtifactDamaged
        as in `borrowed_model`.
    """
    check_seal(version)
    artifact = storage.read(version.sha256)
    try:
        model = _opened(version, artifact)
    except (ArtifactError, InvalidSignature, RunFailed) as err:
        raise SealBroken(f"{version} cannot be loaded: {err.message}") from err
    log.info("model loaded", model=version.model.name, version=version.number, runtime=version.runtime)
    return model


def _opened(version: ModelVersion, artifact: bytes) -> LoadedModel:
    sandbox = Sandbox(settings.SANDBOX_SOCKET)
    model = load_model(
        runtime=_runtime(version), artifact=artifact, signature=version.read_signature(), sandbox=sandbox
    )
    try:
        verify(model, version.examples, accept_difference=version.options.get("accept_difference"))
    except BaseException:
        model.close()
        raise
    return model


def _runtime(version: ModelVersion) -> RuntimeName:
    return "python" if version.runtime == "python" else "onnx"
