"""What a shared library of Linux says of itself: its processor, and the libraries that it is linked to."""

import struct
from dataclasses import dataclass
from typing import Self

_DYNAMIC, _LOAD = 2, 1
_NEEDED, _STRINGS = 1, 5
_MACHINES = {62: "x86_64", 183: "aarch64"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """Processor and needed libraries. Source of the numbers: System V ABI, "Object Files"."""

    machine: str
    needed: tuple[str, ...]

    @classmethod
    def read(cls, content: bytes) -> Self:
        """Read a 64-bit little-endian library."""
        assert content[:6] == b"\x7fELF\x02\x01"
        (machine,) = struct.unpack_from("<H", content, 18)
        (start,) = struct.unpack_from("<Q", content, 32)
        size, count = struct.unpack_from("<HH", content, 54)
        segments = [struct.unpack_from("<IIQQQQ", content, start + size * at) for at in range(count)]
        (dynamic,) = (each for each in segments if each[0] == _DYNAMIC)
        entries = [struct.unpack_from("<QQ", content, dynamic[2] + at) for at in range(0, dynamic[5], 16)]
        (strings,) = (value for tag, value in entries if tag == _STRINGS)
        at = next(
            strings - address + offset
            for kind, _, offset, address, _, length in segments
            if kind == _LOAD and address <= strings < address + length
        )
        names = [
            content[at + value : content.index(b"\0", at + value)].decode()
            for tag, value in entries
            if tag == _NEEDED
        ]
        return cls(machine=_MACHINES[machine], needed=tuple(names))
