"""The parts of PackStream and of Bolt's chunking that a canned database needs."""

import struct


class Structure:
    """A structure, such as a node: a tag and fields."""

    def __init__(self, tag, *fields):
        self.tag, self.fields = tag, fields


def pack(value):
    match value:
        case None:
            return b"\xc0"
        case bool():
            return b"\xc3" if value else b"\xc2"
        case int():
            return bytes([value % 256]) if -16 <= value < 128 else b"\xcb" + struct.pack(">q", value)
        case float():
            return b"\xc1" + struct.pack(">d", value)
        case str():
            text = value.encode()
            return _head(0x80, 0xD0, len(text)) + text
        case list():
            return _head(0x90, 0xD4, len(value)) + b"".join(map(pack, value))
        case dict():
            return _head(0xA0, 0xD8, len(value)) + b"".join(pack(key) + pack(item) for key, item in value.items())
        case Structure():
            return bytes([0xB0 + len(value.fields), value.tag]) + b"".join(map(pack, value.fields))
    raise TypeError(f"cannot encode {value!r} in PackStream")


def _head(tiny, wide, size):
    if size < 16:
        return bytes([tiny + size])
    if size < 256:
        return bytes([wide, size])
    return bytes([wide + 1]) + struct.pack(">H", size)


def message(tag, *fields):
    """One message in chunks."""
    payload = pack(Structure(tag, *fields))
    chunks = (payload[at : at + 0xFFFF] for at in range(0, len(payload), 0xFFFF))
    return b"".join(struct.pack(">H", len(chunk)) + chunk for chunk in chunks) + b"\0\0"


class Messages:
    """Takes bytes and returns the payloads of complete messages."""

    def __init__(self):
        self._bytes = bytearray()

    def feed(self, received):
        self._bytes += received
        at, start, payload = 0, 0, b""
        while len(self._bytes) >= at + 2:
            (size,) = struct.unpack_from(">H", self._bytes, at)
            if len(self._bytes) < at + 2 + size:
                break
            payload += self._bytes[at + 2 : at + 2 + size]
            at += 2 + size
            if size == 0:
                start = at
                if payload:  # Otherwise it is a keep-alive.
                    yield bytes(payload)
                payload = b""
        del self._bytes[:start]


def text(payload, at):
    """The string at this position."""
    marker = payload[at]
    if 0x80 <= marker <= 0x8F:
        size, at = marker - 0x80, at + 1
    else:
        wide = {0xD0: 1, 0xD1: 2, 0xD2: 4}[marker]
        size, at = int.from_bytes(payload[at + 1 : at + 1 + wide], "big"), at + 1 + wide
    return payload[at : at + size].decode()


def integer_behind(payload, key):
    """The integer after a key of a flat map."""
    at = payload.index(pack(key)) + len(pack(key))
    marker = payload[at]
    if marker in (0xC8, 0xC9, 0xCA, 0xCB):
        wide = 1 << (marker - 0xC8)
        return int.from_bytes(payload[at + 1 : at + 1 + wide], "big", signed=True)
    return marker if marker < 0x80 else marker - 256
