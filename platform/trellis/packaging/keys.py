"""Keys that packages are signed with (Ed25519), and those that an installation trusts."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

WORD = "trellis-key"
LONGEST_NAME = 100


class BadKey(ValueError):
    """A key cannot be read, or is not what is wanted."""


@dataclass(frozen=True)
class PublicKey:
    """Whom a signature is from: what they call themselves, and the key that proves it was them again."""

    raw: bytes
    name: str

    @property
    def fingerprint(self) -> str:
        """What people compare, read over the telephone: `3f2a-91cc-…`"""
        digest = hashlib.sha256(self.raw).hexdigest()[:24]
        return "-".join(digest[at : at + 4] for at in range(0, 24, 4))

    def __str__(self) -> str:
        return f"{WORD} {base64.b64encode(self.raw).decode()} {self.name}"

    def has_signed(self, message: bytes, signature: bytes) -> bool:
        """Whether a signature of a message is this key's."""
        try:
            Ed25519PublicKey.from_public_bytes(self.raw).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class SigningKey:
    """A private key, with the name that stands beside it."""

    key: Ed25519PrivateKey
    name: str

    @property
    def public(self) -> PublicKey:
        """The half that others may have."""
        return PublicKey(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), self.name)

    def sign(self, message: bytes) -> bytes:
        """Sign a message; the same one always gives the same signature."""
        return self.key.sign(message)


def read_public(text: str) -> PublicKey:
    """A public key from its line, as `trellis template key` writes it. Raises BadKey."""
    word, _, rest = text.strip().partition(" ")
    encoded, _, name = rest.strip().partition(" ")
    try:
        raw = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raw = b""
    if word != WORD or len(raw) != 32 or "\n" in name:
        raise BadKey(f"this is no public key: expected a line such as `{WORD} <44 characters> Paws & Co`")
    return PublicKey(raw, checked_name(name.strip()))


def checked_name(name: str) -> str:
    """A name that can stand beside a key. Raises BadKey."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise BadKey(f"a key has a name, such as your company's: one line of at most {LONGEST_NAME} characters")
    return name


def make_key(file: Path, name: str, passphrase: str = "") -> SigningKey:
    """Make a key: FILE for its owner alone, FILE.pub for everybody. Raises BadKey if the file is there already."""
    made = SigningKey(Ed25519PrivateKey.generate(), checked_name(name))
    shut = BestAvailableEncryption(passphrase.encode()) if passphrase else NoEncryption()
    text = made.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, shut)
    public = public_file(file)
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BadKey(f"{file} is there already; what was signed with it needs it") from None
    with os.fdopen(handle, "wb") as out:
        out.write(text)
    public.write_text(f"{made.public}\n", "utf-8")
    return made


def public_file(file: Path) -> Path:
    """Where the public half of a key lies."""
    return file.with_name(f"{file.name}.pub")


def read_key(file: Path, passphrase: str | None = None) -> SigningKey:
    """A private key from its file; its name stands in FILE.pub. Raises BadKey; TypeError if it needs a passphrase."""
    try:
        data = file.read_bytes()
        public = read_public(public_file(file).read_text("utf-8"))
    except OSError as error:
        raise BadKey(f"{error.filename}: {error.strerror}; `trellis template key {file}` makes a key") from None
    try:
        key = load_pem_private_key(data, passphrase.encode() if passphrase else None)
    except ValueError:
        raise BadKey(f"{file} is no key of this kind, or the passphrase is wrong") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise BadKey(f"{file} is not an Ed25519 key; `trellis template key` makes one")
    made = SigningKey(key, public.name)
    if made.public.raw != public.raw:
        raise BadKey(f"{public_file(file)} does not belong to {file}")
    return made


class TrustedKeys:
    """The keys that packages may be installed from, one file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def all(self) -> list[PublicKey]:
        """Every trusted key, by name."""
        found = [read_public(path.read_text("utf-8")) for path in sorted(self.folder.glob("*.pub"))]
        return sorted(found, key=lambda key: (key.name, key.fingerprint))

    def has(self, key: PublicKey) -> bool:
        """Whether a key is trusted; its name does not matter, anybody could have taken it."""
        return any(known.raw == key.raw for known in self.all())

    def add(self, key: PublicKey) -> None:
        """Trust a key from now on."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / f"{key.fingerprint}.pub").write_text(f"{key}\n", "utf-8")

    def remove(self, text: str) -> PublicKey:
        """Trust a key no longer, by its name or the beginning of its fingerprint. Raises BadKey."""
        found = [k for k in self.all() if k.name == text or (len(text) >= 4 and k.fingerprint.startswith(text))]
        if len(found) != 1:
            which = "is not trusted" if not found else "fits several keys: name the fingerprint"
            raise BadKey(f"{text} {which}")
        (self.folder / f"{found[0].fingerprint}.pub").unlink()
        return found[0]
