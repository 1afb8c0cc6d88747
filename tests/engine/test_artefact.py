import hashlib
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import BadArtefact, Detector
from engine.artefact import pack, unpack

SAMPLE = pack("thing", {"a": 1}, {"x": np.arange(6.0).reshape(2, 3), "m": np.array([True, False])})


def signed(body: bytes) -> bytes:
    return body + hashlib.sha256(body).digest()


def with_header(header: object, tail: bytes = b"") -> bytes:
    text = json.dumps(header).encode()
    return signed(b"L4EA" + (1).to_bytes(2, "little") + len(text).to_bytes(4, "little") + text + tail)


def test_round_trip() -> None:
    meta, arrays = unpack(SAMPLE, "thing")
    assert meta == {"a": 1}
    np.testing.assert_array_equal(arrays["x"], [[0, 1, 2], [3, 4, 5]])
    assert arrays["m"].tolist() == [True, False]


def test_version_1_bytes_stay_readable() -> None:
    fixed = with_header(
        {"kind": "thing", "meta": {"a": 2}, "arrays": [{"name": "x", "type": "f8", "shape": [2]}]},
        np.array([1.5, -2.0]).astype("<f8").tobytes(),
    )
    meta, arrays = unpack(fixed, "thing")
    assert (meta, arrays["x"].tolist()) == ({"a": 2}, [1.5, -2.0])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no engine artefact"),
        (b"PK\x03\x04" + b"\0" * 60, "no engine artefact"),
        (signed(SAMPLE[:4] + (9).to_bytes(2, "little") + SAMPLE[6:-32]), "format version 9"),
        (SAMPLE[:-40] + SAMPLE[-39:], "checksum"),
        (with_header([]), "malformed"),
        (
            with_header({"kind": "thing", "meta": {}, "arrays": [{"name": "x", "type": "O", "shape": [1]}]}),
            "malformed",
        ),
        (
            with_header({"kind": "thing", "meta": {}, "arrays": [{"name": "x", "type": "f8", "shape": [9]}]}),
            "malformed",
        ),
        (
            with_header(
                {"kind": "thing", "meta": {}, "arrays": [{"name": "x", "type": "f8", "shape": [-1]}]}
            ),
            "malformed",
        ),
        (with_header({"kind": "thing", "meta": {}, "arrays": []}, b"12"), "2 bytes too many"),
        (with_header({"kind": "other", "meta": {}, "arrays": []}), "a 'other', not a 'thing'"),
    ],
)
def test_everything_else_is_refused_with_the_reason(data: bytes, message: str) -> None:
    with pytest.raises(BadArtefact, match=message):
        unpack(data, "thing")


@given(at=st.integers(0, len(SAMPLE) - 1), value=st.integers(0, 255))
def test_any_changed_byte_is_noticed(at: int, value: int) -> None:
    changed = SAMPLE[:at] + bytes([value]) + SAMPLE[at + 1 :]
    if changed != SAMPLE:
        with pytest.raises(BadArtefact):
            unpack(changed, "thing")


@given(st.binary(max_size=300))
def test_any_bytes_are_refused(data: bytes) -> None:
    with pytest.raises(BadArtefact):
        Detector.from_bytes(data)
    with pytest.raises(BadArtefact):
        Detector.from_bytes(signed(b"L4EA\x01\0" + data))


def test_a_detector_with_wrong_content_is_refused() -> None:
    with pytest.raises(BadArtefact, match="malformed"):
        Detector.from_bytes(pack("detector", {"sensors": ["a"], "step": 60}, {}))
