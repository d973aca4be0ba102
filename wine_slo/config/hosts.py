"""Names and addresses of this machine, as a setting or a Host header says them."""

import ipaddress
import socket
from functools import lru_cache

LOOPBACK_NAMES = {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"}
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


def is_this_machine(host: str) -> bool:
    """Return whether a host is this machine: by its address in any form, or by a name that only this machine has."""
    name = host.rstrip(".").lower()
    if name in LOOPBACK_NAMES or name.endswith(".localhost") or name == socket.gethostname().lower():
        return True
    try:
        address = ipaddress.ip_address(name.partition("%")[0])
    except ValueError:
        try:
            address = ipaddress.ip_address(socket.inet_aton(name))  # 127.1, 0x7f000001
        except OSError:
            return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)
