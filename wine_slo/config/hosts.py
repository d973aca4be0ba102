"""Names and addresses of this machine, as a setting or a Host header says them."""

import ipaddress
from functools import lru_cache

NAMES_KEPT = 64  # clients choose what they send; those who mean us send few names


@lru_cache(NAMES_KEPT)
def host_name(host: str) -> str:
    """Return the name in a Host header, without port, brackets and a last dot, in small letters."""
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name.strip().rstrip(".").lower()


@lru_cache(NAMES_KEPT)
def is_loopback(name: str) -> bool:
    """Return whether a name or an address is reached from this machine only."""
    if name == "localhost" or name.endswith(".localhost"):  # RFC 6761, 6.3
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
