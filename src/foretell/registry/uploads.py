"""From a multipart body to a push: files into the store, metadata read strictly, everything that is wrong said at once."""

import codecs
from collections.abc import Mapping
from typing import Any, TypedDict

from django.core.files.uploadedfile import UploadedFile
from django.utils.datastructures import MultiValueDict
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from foretell.inference.codec.strict_json import loads
from foretell.inference.errors import InvalidInput
from foretell.inference.formats import MAX_FILES
from foretell.problems import Fault
from foretell.registry import storage
from foretell.registry.errors import InvalidPush
from foretell.registry.pushing import PushMetadata, Upload
from foretell.registry.writing import PushMetadataSerializer

PARTS = frozenset({"artifact", "sample", "metadata"})
MAX_SAMPLE_BYTES = 64 << 20
LOOKED_AT_BYTES = 1 << 16
MAX_METADATA_CHARS = 8 << 20
MAX_FILE_NAME_CHARS = 200


class PushForm(serializers.Serializer[Any]):
    """The parts of a push, for the documentation; `read_push` reads them."""

    artifact = serializers.ListField(
        child=serializers.FileField(),
        min_length=1,
        max_length=MAX_FILES,
        help_text="The model's file, or the files of a chain in their order.",
    )
    sample = serializers.FileField(required=False, help_text="Rows like those of training, as CSV with a header line.")
    metadata = PushMetadataSerializer(required=False, help_text="JSON; see docs/push.md.")


class Push(TypedDict):
    uploads: list[Upload]
    sample: storage.Stored | None
    metadata: PushMetadata


def read_push(data: Any, files: "MultiValueDict[str, UploadedFile[Any]]") -> Push:
    faults = [
        *_part_faults(data, files),
        *_artifact_faults(files.getlist("artifact")),
        *_sample_faults(files.getlist("sample")),
    ]
    metadata = _metadata(data.get("metadata", "{}"), faults)
    if faults or metadata is None:
        raise InvalidPush(faults)
    samples = files.getlist("sample")
    return Push(
        uploads=[Upload(_shown_name(file), storage.store(file.chunks())) for file in files.getlist("artifact")],
        sample=storage.store(samples[0].chunks()) if samples else None,
        metadata=metadata,
    )


def _part_faults(data: Mapping[str, Any], files: Mapping[str, Any]) -> list[Fault]:
    unknown = sorted((set(data) | set(files)) - PARTS)
    return [
        Fault(
            attr=str(name)[:100],
            code="unknown_field",
            detail="This part is not known. Expected artifact, sample and metadata.",
        )
        for name in unknown
    ]


def _artifact_faults(artifacts: "list[UploadedFile[Any]]") -> list[Fault]:
    if not 1 <= len(artifacts) <= MAX_FILES:
        return [
            Fault(
                attr="artifact",
                code="required",
                detail=f"Found {len(artifacts)} files; expected 1 to {MAX_FILES}, in the order in which rows go through them.",
            )
        ]
    return [
        Fault(attr="artifact", code="empty", detail=f"The file {_shown_name(file)!r} is empty.")
        for file in artifacts
        if not file.size
    ]


def _sample_faults(samples: "list[UploadedFile[Any]]") -> list[Fault]:
    if len(samples) > 1:
        detail = f"Found {len(samples)} samples; expected one CSV file, or none."
        return [Fault(attr="sample", code="invalid", detail=detail)]
    return [fault for file in samples if (fault := _sample_fault(file)) is not None]


def _sample_fault(file: "UploadedFile[Any]") -> Fault | None:
    size = file.size or 0
    if size > MAX_SAMPLE_BYTES:
        detail = (
            f"The sample has {size:,} bytes; at most {MAX_SAMPLE_BYTES:,} are read. A few thousand rows are enough."
        )
        return Fault(attr="sample", code="too_large", detail=detail)
    if not _looks_like_csv(file):
        detail = "The sample is not CSV. Expected UTF-8 text: a header line with the columns' names, and rows below it."
        return Fault(attr="sample", code="not_csv", detail=detail)
    return None


def _looks_like_csv(file: "UploadedFile[Any]") -> bool:
    """Whether its beginning is UTF-8 text of more than one line; what the rows hold is for the build to say."""
    beginning = file.read(LOOKED_AT_BYTES)
    file.seek(0)
    try:
        text = codecs.getincrementaldecoder("utf-8")().decode(beginning)  # a character may be cut at the end
    except UnicodeDecodeError:
        return False
    is_table = len(text.strip().splitlines()) > 1 or len(beginning) == LOOKED_AT_BYTES
    return is_table and "\0" not in text


def _metadata(text: Any, faults: list[Fault]) -> PushMetadata | None:
    if not isinstance(text, str) or len(text) > MAX_METADATA_CHARS:
        faults.append(
            Fault(
                attr="metadata",
                code="invalid",
                detail=f"Expected JSON text of at most {MAX_METADATA_CHARS:,} characters.",
            )
        )
        return None
    try:
        serializer = PushMetadataSerializer(data=loads(text.encode("utf-8", "surrogatepass")))
        serializer.is_valid(raise_exception=True)
    except InvalidInput as err:
        faults += [Fault(attr="metadata", code=fault.code, detail=fault.detail) for fault in err.problems]
    except ValidationError as err:
        faults += _flat(err.get_full_details(), "metadata")
    else:
        return serializer.to_metadata()
    return None


def _flat(details: Any, path: str) -> list[Fault]:
    """Flatten what DRF says of nested fields into one fault for each."""
    if isinstance(details, Mapping) and set(details) == {"message", "code"}:
        return [Fault(attr=path, code=str(details["code"]), detail=str(details["message"]))]
    if isinstance(details, Mapping):
        return [
            fault
            for key, value in details.items()
            for fault in _flat(value, path if key == "non_field_errors" else f"{path}.{key}")
        ]
    return [fault for value in details for fault in _flat(value, path)]


def _shown_name(file: "UploadedFile[Any]") -> str:
    """Security: the author's name for a file is for messages only, so it is cut and cleaned."""
    name = "".join(character for character in (file.name or "artifact") if character.isprintable())
    return name[:MAX_FILE_NAME_CHARS]
