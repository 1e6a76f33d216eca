"""The secret that signs tokens and cursors: a setting, or in development a file made once."""

from __future__ import annotations

import hmac
import os
import secrets
from pathlib import Path

from opsboard.config import Config


def signing_secret(config: Config) -> str:
    """SECRET_KEY; without one (never in production) the content of `secret.key` in OPSBOARD_DATA."""
    if config.secret_key:
        return str(config.secret_key)
    return kept_secret(config.data_folder / "secret.key")


def derived_key(secret: str, purpose: str) -> bytes:
    """A key for one purpose alone: HKDF of RFC 5869 with SHA-256, which suits a secret of full strength."""
    extracted = hmac.digest(b"opsboard", secret.encode(), "sha256")
    return hmac.digest(extracted, purpose.encode() + b"\x01", "sha256")


def kept_secret(path: Path) -> str:
    """Read a secret from a file only its owner can read; make it when it is missing. Safe for many at once."""
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    draft.touch(mode=0o600)
    draft.write_text(secrets.token_hex(32), encoding="ascii")
    try:
        os.link(draft, path)  # fails when another process was first: then its secret counts
    except FileExistsError:
        pass
    finally:
        draft.unlink()
    return path.read_text(encoding="ascii").strip()
