"""Addresses as the ledger holds them.

A chat of Telegram is a number there, and so is the terminal: the ledger had nothing else when its tables were made, and
what an earlier version wrote, or would read again, is still so. Every other address is written as it is.
"""

import re
from typing import Any

import sqlalchemy as sa

from wine_slo.slo.chat.address import Address

TERMINAL = 0
_TELEGRAM = re.compile(r"telegram:(-?[0-9]+)")


def stored(address: Address) -> int | str:
    """Return an address as it is written."""
    if address == Address.of("console", TERMINAL):
        return TERMINAL
    found = _TELEGRAM.fullmatch(address)
    return int(found[1]) if found else str(address)


def address_of(written: object) -> Address:
    """Return the address that is written so.

    Raises:
        ValueError: It is none.
    """
    if isinstance(written, int) and not isinstance(written, bool):
        return Address.of("telegram" if written != TERMINAL else "console", written)
    if isinstance(written, str) and ":" in written:
        return Address(written)
    raise ValueError(f"no address: {written!r}")


class AddressType(sa.types.TypeDecorator[Address]):
    """The type of a column of addresses."""

    impl = sa.BigInteger
    cache_ok = True

    def process_bind_param(self, value: Address | None, dialect: Any) -> int | str | None:  # noqa: ARG002 - of the base
        """Return what is written."""
        return None if value is None else stored(value)

    def process_result_value(self, value: Any, dialect: Any) -> Address | None:  # noqa: ARG002 - of the base
        """Return what is read."""
        return None if value is None else address_of(value)
