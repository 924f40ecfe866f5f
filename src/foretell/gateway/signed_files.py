"""Files that only this installation can have written: bytes behind an HMAC, put in place whole.

Security: the key is derived from SECRET_KEY, and the purpose is part of what is signed, so that a file of one kind, or of one
place, says nothing in another's.
"""

import contextlib
import hmac
import os
import tempfile
from hashlib import sha256
from pathlib import Path

from django.conf import settings

from foretell.errors import ForetellError

SIGNATURE_BYTES = 32


class FileRefused(ForetellError):
    """A file that is not there, or not as it was written here."""

    code = "file_refused"


def write_signed(path: Path, content: bytes, *, purpose: str, durably: bool = False) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, temporary = tempfile.mkstemp(prefix=".incoming-", dir=path.parent)  # readable by its owner alone
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(_signature(content, purpose) + content)
            if durably:
                file.flush()
                os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def read_signed(path: Path, *, purpose: str) -> bytes:
    """Return what was written.

    Raises
    ------
    FileRefused
    """
    try:
        found = path.read_bytes()
    except OSError as err:
        raise FileRefused(f"{path} cannot be read ({err.strerror}).") from err
    signature, content = found[:SIGNATURE_BYTES], found[SIGNATURE_BYTES:]
    if not hmac.compare_digest(signature, _signature(content, purpose)):
        raise FileRefused(f"{path} is not as it was written here: it was changed, or SECRET_KEY was.")
    return content


def _signature(content: bytes, purpose: str) -> bytes:
    key = sha256(b"foretell catalogue\0" + settings.SECRET_KEY.encode()).digest()
    mac = hmac.new(key, f"{len(purpose)}\0{purpose}\0".encode(), sha256)
    mac.update(content)
    return mac.digest()
