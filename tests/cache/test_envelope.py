"""Sealed bodies: only those that a worker with our secret stored are opened."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from opsboard.cache import Body, Key
from opsboard.cache.envelope import LARGEST, SEAL, Envelope, Refused
from opsboard.cache.horizon import Watermark
from opsboard.secret import derived_key
from tests.cache.test_store import incompressible

KEY = Key(1, "admin", 5, "dashboard.stats", (("months", "6"),))
WATERMARK = Watermark("life", "9:12:9,10", 1234.5)
TABLES = frozenset({"jobs", "machines"})
ours = Envelope(derived_key("a secret of the service that is long", "bodies"), "release 1")


def sealed(envelope: Envelope = ours, key: Key = KEY, content: bytes = b'{"jobs": 3}') -> tuple[bytes, bytes]:
    name = envelope.name(key, WATERMARK.epoch)
    value = envelope.seal(name, WATERMARK, Body(content), TABLES)
    assert value is not None
    return name, value


def test_what_was_sealed_is_opened_with_its_label_and_tables() -> None:
    watermark, body = ours.open(*sealed())
    assert (watermark, body.identity, body.tables) == (WATERMARK, b'{"jobs": 3}', TABLES)
    assert body.etag == Body(b'{"jobs": 3}').etag


@given(st.integers(0, 400), st.integers(1, 255))
def test_a_single_changed_byte_is_refused(at: int, by: int) -> None:
    name, value = sealed()
    at %= len(value)
    with pytest.raises(Refused):
        ours.open(name, value[:at] + bytes([value[at] ^ by]) + value[at + 1 :])


@given(st.binary(max_size=200))
def test_anything_else_is_refused(value: bytes) -> None:
    with pytest.raises(Refused):
        ours.open(sealed()[0], value)


def test_a_value_cut_off_or_with_more_behind_it_is_refused() -> None:
    name, value = sealed()
    for wrong in (value[:-1], value + b"\0", value[:SEAL], value[SEAL:], pickle.dumps(value)):
        with pytest.raises(Refused):
            ours.open(name, wrong)


CHANGES = [
    {"tenant_id": 2}, {"role": "manager"}, {"user_id": 6}, {"user_id": None}, {"endpoint": "dashboard.recent_jobs"},
    {"arguments": (("months", "7"),)}, {"arguments": ()}, {"locale": "de"},
]  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_anothers_body_under_this_name_is_refused(change: dict) -> None:
    """A writer of the shared store may copy a valid value to another name."""
    name, _ = sealed()
    other_name, other = sealed(key=KEY._replace(**change))
    assert other_name != name
    with pytest.raises(Refused):
        ours.open(name, other)


def test_another_secret_release_or_life_neither_finds_nor_opens() -> None:
    name, value = sealed()
    secret = derived_key("another secret of the service, long", "bodies")
    for other in (Envelope(secret, "release 1"), Envelope(derived_key("x", "bodies"), "release 2")):
        assert other.name(KEY, "life") != name
        with pytest.raises(Refused):
            other.open(name, value)
    assert Envelope(ours._secret, "release 2").name(KEY, "life") != name
    assert ours.name(KEY, "another life") != name


def test_a_name_tells_nothing_of_whose_it_is() -> None:
    name, _ = sealed()
    assert name.startswith(b"opsboard:1:")
    assert b"dashboard" not in name and b"admin" not in name
    assert len(name) == len(b"opsboard:1:") + 64


def test_what_is_too_large_is_not_sealed() -> None:
    name = ours.name(KEY, "life")
    assert ours.seal(name, WATERMARK, Body(incompressible(LARGEST)), TABLES) is None
    value = ours.seal(name, WATERMARK, Body(incompressible(LARGEST - 2000)), TABLES)
    assert value is not None and len(value) <= LARGEST


def test_keys_for_two_purposes_have_nothing_in_common() -> None:
    # As `openssl kdf ... HKDF` with key:secret, salt:opsboard, info:bodies and digest:SHA256 says.
    assert derived_key("secret", "bodies").hex() == (
        "ca4a54562ba2c34f9d93b1c010a97b10d58e5a55bd6f85ab7dc098c15dac4690"
    )
    assert derived_key("secret", "bodies") != derived_key("secret", "cursors")
