"""Digest of the code that makes bodies: workers of two releases must not use each other's."""

from __future__ import annotations

from hashlib import blake2b
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
SUFFIXES = {".py", ".sql"}


def code_digest() -> str:
    """Return a digest that is equal on all machines with the same code, whatever its version is called."""
    digest = blake2b(digest_size=16)
    for path in sorted(path for path in PACKAGE.rglob("*") if path.suffix in SUFFIXES):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(PACKAGE)} {len(content)}\0".encode() + content)
    return digest.hexdigest()
