"""Where webhooks may be sent: a name is resolved once, and only an address that was checked is connected to."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Sequence
from urllib.parse import urlsplit

from email_validator import EmailNotValidError, validate_email

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

# IPv6 addresses that contain an IPv4 address: the well-known and the local prefix of NAT64, and IPv4-compatible ones.
EMBEDDING = tuple(map(ipaddress.IPv6Network, ("64:ff9b::/96", "::/96")))
LOCAL_NAT64 = ipaddress.IPv6Network("64:ff9b:1::/48")
ASCII_URL = re.compile(r"[!-~]+")


class AddressRefused(Exception):
    """The receiver must not be connected to; the text says why."""


def check_url(url: str, allowed: Sequence[Network]) -> None:
    """Raise ValueError for an address that can be refused without resolving its name."""
    if url.startswith("mailto:"):
        check_mailto(url)
        return
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host, parts = None, urlsplit("")
    if parts.scheme not in ("https", "http") or not host or not ASCII_URL.fullmatch(url):
        raise ValueError("must be like https://erp.example/hooks or mailto:office@example.com")
    if parts.username or parts.password or parts.fragment:
        raise ValueError("must have no user, password or part behind #")
    if host == "localhost" or host.endswith(".localhost"):
        host = "127.0.0.1"
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        if parts.scheme == "http" and not allowed:
            raise ValueError("must begin with https://") from None
        return
    try:
        check_address(address, allowed, parts.scheme == "https")
    except AddressRefused as refusal:
        raise ValueError(str(refusal)) from None


def check_mailto(url: str) -> None:
    try:
        validate_email(url.removeprefix("mailto:"), check_deliverability=False)
    except EmailNotValidError:
        raise ValueError("must have one e-mail address behind mailto:") from None


def resolve(host: str, port: int, allowed: Sequence[Network], is_secure: bool) -> list[str]:
    """The addresses of a host. Raises AddressRefused if one of them is refused, and OSError if there is none."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for address in addresses:
        # A scope (fe80::1%eth0) is of link-local addresses only, which are refused with it.
        check_address(ipaddress.ip_address(address), allowed, is_secure)
    return addresses


def check_address(address: Address, allowed: Sequence[Network], is_secure: bool) -> None:
    """Raise AddressRefused unless the address is a public one and the connection secure, or a network allows it."""
    inner = embedded(address)
    if any(inner in network for network in allowed):
        return
    if not inner.is_global or inner.is_multicast:
        raise AddressRefused(f"{address} is no public address, and WEBHOOK_NETWORKS does not allow it")
    if not is_secure:
        raise AddressRefused("http:// is for networks of WEBHOOK_NETWORKS only; others need https://")


def embedded(address: Address) -> Address:
    """The IPv4 address that an IPv6 address reaches in the end, or the address itself."""
    if isinstance(address, ipaddress.IPv4Address):
        return address
    if address.ipv4_mapped:
        return address.ipv4_mapped
    if address.sixtofour:
        return address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if any(address in network for network in EMBEDDING) and int(address) > 1:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if address in LOCAL_NAT64:
        return ipaddress.IPv4Address("127.0.0.1")  # whatever is behind it, it is a network of ours
    return address
