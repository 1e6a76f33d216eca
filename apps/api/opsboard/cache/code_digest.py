"""Digest of the code that makes bodies: workers of two releases must not use each other's."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
SUFFIXES = {".py", ".sql"}
# These make no body that a worker keeps: a change of theirs leaves the bodies of other workers valid.
MAKE_NO_BODY = {"demo", "commands", "imports", "tenants"}


def code_digest(package: Path = PACKAGE) -> str:
    """Return a digest that is equal on all machines with the same code, whatever its version is called."""
    digest = blake2b(digest_size=16)
    for path in sorted(path for path in package.rglob("*") if path.suffix in SUFFIXES):
        name = path.relative_to(package)
        if name.parts[0] not in MAKE_NO_BODY:
            content = path.read_bytes()
            digest.update(f"{name} {len(content)}\0".encode() + content)
    return digest.hexdigest()
