"""Seals values before they leave the process: AES-256-GCM, bound to the place they are kept in and the conversation.

A sealed value is one byte of version, 8 of the key's id, 12 of nonce, then the ciphertext with its tag. The key's id, the
place and the conversation are authenticated with it, so that a value that was moved, or changed in one bit, is refused.
"""

import base64
import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from tempfile import NamedTemporaryFile

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bot.errors import SealBroken, SettingsInvalid
from bot.settings import Settings

FILE_NAME = "memory.key"
KEY_BYTES = 32
_VERSION = b"\x01"
_ID_BYTES = 8
_NONCE_BYTES = 12
_HEAD_BYTES = len(_VERSION) + _ID_BYTES + _NONCE_BYTES


class Seal:
    """A ring of keys: the first seals, each opens what it sealed. To rotate, put a new key first; drop the old one later."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = {_id(key): AESGCM(key) for key in keys}
        self._first = _id(keys[0])

    def close(self, value: bytes, place: str, conversation: str) -> bytes:
        """The value, sealed for this place and conversation."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        head = _VERSION + self._first + nonce
        return head + self._keys[self._first].encrypt(nonce, value, _bound_to(self._first, place, conversation))

    def open(self, sealed: bytes, place: str, conversation: str) -> bytes:
        """What was sealed for this place and conversation. Raises SealBroken."""
        key_id, nonce = sealed[1 : 1 + _ID_BYTES], sealed[1 + _ID_BYTES : _HEAD_BYTES]
        if sealed[:1] != _VERSION or len(sealed) < _HEAD_BYTES:
            raise SealBroken("it is not a sealed value")
        if key_id not in self._keys:
            raise SealBroken(f"it was sealed with key {key_id.hex()}, which is not among MEMORY_KEYS")
        try:
            return self._keys[key_id].decrypt(nonce, sealed[_HEAD_BYTES:], _bound_to(key_id, place, conversation))
        except InvalidTag:
            raise SealBroken("it was changed, or sealed for another place") from None


def read_seal(settings: Settings) -> Seal:
    """The seal of the settings' keys, or of the one kept in DATA_DIR. Raises SettingsInvalid naming the file."""
    written = settings.memory_keys.get_secret_value() if settings.memory_keys else kept_key(settings.data_dir / FILE_NAME)
    return Seal([_read_key(key) for key in written.split(",")])


def kept_key(path: Path) -> str:
    """The key in this file, which only its owner may read; made at the first start, by one of those that start together.

    Raises SettingsInvalid.
    """
    try:
        if not path.exists():
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _write_once(path, base64.b64encode(secrets.token_bytes(KEY_BYTES)))
        key = path.read_bytes().strip().decode("ascii")
        _read_key(key)
    except OSError as failure:
        raise SettingsInvalid(
            f"{path} cannot be kept ({failure.strerror}); set DATA_DIR to a folder that this process may write"
        ) from None
    except ValueError:  # also UnicodeDecodeError
        raise SettingsInvalid(f"{path} is damaged: delete it (what it sealed is made anew) or set MEMORY_KEYS") from None
    return key


def _write_once(path: Path, content: bytes) -> None:
    """Put the file there whole, unless another process was first."""
    with NamedTemporaryFile(dir=path.parent, prefix=f"{path.name}-") as draft:  # mode 600
        draft.write(content)
        draft.flush()
        os.fsync(draft.fileno())
        try:
            os.link(draft.name, path)
        except FileExistsError:
            return


def _read_key(written: str) -> bytes:
    """A key from base64, of either alphabet. Raises ValueError."""
    plain = written.strip().rstrip("=").translate(str.maketrans("-_", "+/"))
    key = base64.b64decode(f"{plain}=", validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key has {KEY_BYTES} bytes, this one {len(key)}")
    return key


def _id(key: bytes) -> bytes:
    return hashlib.sha256(b"frontdesk key id" + key).digest()[:_ID_BYTES]


def _bound_to(key_id: bytes, place: str, conversation: str) -> bytes:
    """Each part with its length before it, so that no two places and conversations look alike."""
    parts = (place.encode(errors="surrogatepass"), conversation.encode(errors="surrogatepass"))
    return key_id + b"".join(len(part).to_bytes(4) + part for part in parts)
