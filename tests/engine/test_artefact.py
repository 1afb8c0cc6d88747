import base64
import hashlib
import json
import tracemalloc
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine import BadArtefact, Detector, Frame, fit
from engine.detect.artefact import pack, unpack
from engine.detect.view import older_row_scores, row_scores

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


FIXTURES = Path(__file__).parent / "artefacts"


def fixture(name: str) -> bytes:
    return base64.b64decode((FIXTURES / f"{name}.b64").read_text())


def three(start: int, stop: int) -> Frame:
    """The rows that the detector of format version 1 in the fixtures was fitted to, and those after them."""
    at = np.arange(start, stop)
    first = np.sin(at / 37) + 0.1 * np.sin(at * 12.9898)
    second = 2 * first + 0.1 * np.cos(at * 7.233)
    values = np.stack([first, second, first - second + 0.1 * np.sin(at * 3.77)], axis=1)
    times = np.datetime64("2026-01-01", "us") + at * np.timedelta64(60, "s")
    return Frame(
        times=times,
        values=values,
        sensors=("a", "b", "c"),
        off=np.zeros(len(at), bool),
        step=np.timedelta64(60, "s"),
    )


def test_a_detector_and_a_state_of_version_1_are_read_with_defaults() -> None:
    """Written by the release before format version 2: `fit` on rows 0 to 600, the state after rows to 650."""
    old, state = fixture("detector-v1"), fixture("state-v1")
    assert old[4:6] == state[4:6] == b"\x01\x00"
    detector = Detector.from_bytes(old)
    assert detector.discrete_values == ()
    scores = detector.score(three(650, 700), state=state)
    assert scores.prediction.sum() == 0
    np.testing.assert_allclose(scores.score[:3], [0.32173, 0.32037, 0.31755], atol=0.12)
    values = three(650, 700).values
    values[20:, 0] += 3
    faulty = replace(three(650, 700), values=values)
    assert detector.score(faulty, state=state).prediction[25:].mean() > 0.9
    renewed = detector.to_bytes()
    assert renewed[4:6] == b"\x03\x00"
    assert Detector.from_bytes(renewed).to_bytes() == renewed


def test_a_detector_and_a_state_of_version_2_go_on_without_a_slow_channel() -> None:
    """Written by the release before format version 3: `fit` on rows 0 to 600, the state after rows to 650."""
    old, state = fixture("detector-v2"), fixture("state-v2")
    assert old[4:6] == state[4:6] == b"\x02\x00"
    detector = Detector.from_bytes(old)
    assert detector.slow is None
    assert detector.adaptation == "auto"
    scores = detector.score(three(650, 700), state=state)
    np.testing.assert_allclose(scores.score[:3], [0.35013, 0.34875, 0.34584], atol=1e-4)


@pytest.mark.parametrize("steady", [True, False])
def test_a_detector_of_before_goes_on_whether_its_plant_was_called_steady_or_not(*, steady: bool) -> None:
    detector = fit(three(0, 2000))
    assert np.isfinite(detector.pipeline.baseline.reach).all()
    meta, arrays = unpack(detector.to_bytes(), "detector")
    before = pack("detector", meta | {"steady": steady}, arrays)
    assert Detector.from_bytes(before).to_bytes() == detector.to_bytes()


def test_a_detector_of_before_names_nothing_that_was_left_out() -> None:
    meta, arrays = unpack(fit(three(0, 600)).to_bytes(), "detector")
    before = pack("detector", meta, {name: arrays[name] for name in arrays if name != "left out"})
    assert Detector.from_bytes(before).left_out.shape == (0, 2)


LIMITS = {"s0": np.timedelta64(600, "s"), "s2": np.timedelta64(90, "s")}


def limited() -> Detector:
    frame = three(0, 600)
    limits = {sensor: LIMITS[key] for sensor, key in zip(frame.sensors, ("s0", "", "s2"), strict=True) if key}
    return fit(replace(frame, fill_limits=limits))


def test_how_long_last_values_stand_in_is_kept() -> None:
    first, _, third = three(0, 1).sensors
    again = Detector.from_bytes(limited().to_bytes())
    assert again.fill_limits == {first: LIMITS["s0"], third: LIMITS["s2"]}


def test_a_detector_of_before_does_not_know_how_long_last_values_stand_in() -> None:
    meta, arrays = unpack(limited().to_bytes(), "detector")
    before = pack("detector", meta, {name: arrays[name] for name in arrays if name != "fill limits"})
    assert Detector.from_bytes(before).fill_limits == {}


@pytest.mark.parametrize(
    ("limits", "words"),
    [(np.array([1, -5, 0]), "a value stands in for -5 us"), (np.array([1, 2]), "fill limits")],
)
def test_wrong_fill_limits_are_refused(limits: np.ndarray, words: str) -> None:
    meta, arrays = unpack(limited().to_bytes(), "detector")
    with pytest.raises(BadArtefact, match=words):
        Detector.from_bytes(pack("detector", meta, arrays | {"fill limits": limits}))


def test_a_detector_of_before_keeps_the_row_scores_that_its_limits_fit() -> None:
    """Written by a release that had one score of rows and did not name it."""
    detector = fit(three(0, 600))
    meta, arrays = unpack(detector.to_bytes(), "detector")
    del meta["fourth_powers"]
    old = Detector.from_bytes(pack("detector", meta, arrays))
    again = Detector.from_bytes(old.to_bytes())
    residuals = np.array([[0.5, 1, 3], [0, 0, 2]], np.float32)
    for new_view, old_view, view in zip(detector.views, old.views, again.views, strict=True):
        assert new_view.scores(residuals).tolist() == row_scores(residuals).tolist()
        assert view.scores(residuals).tolist() == old_view.scores(residuals).tolist()
        assert view.scores(residuals).tolist() == older_row_scores(residuals).tolist()


def test_a_detector_of_version_1_with_a_baseline_is_refused_naming_both_versions() -> None:
    meta, arrays = unpack(fixture("detector-v1"), "detector")
    with pytest.raises(BadArtefact, match=r"version 1 .* version 3 .* train again"):
        Detector.from_bytes(pack("detector", meta | {"span": 500}, arrays))


def test_a_later_version_is_refused_naming_both_versions() -> None:
    body = fixture("detector-v1")[:-32]
    later = signed(body[:4] + (4).to_bytes(2, "little") + body[6:])
    with pytest.raises(BadArtefact, match="format version 4; this engine reads versions 1 to 3"):
        Detector.from_bytes(later)


WHOLE = fit(three(0, 600))
STATE = WHOLE.score(three(600, 650)).state
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=5)
    | st.sampled_from(["f8", "b1", "i8", "lag", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


def places(document: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON document."""
    keys: Any = ()
    if isinstance(document, dict):
        keys = document.keys()
    elif isinstance(document, list):
        keys = range(len(document))
    return [path, *(each for key in keys for each in places(document[key], (*path, key)))]


def changed(data: bytes, draw: st.DataObject) -> bytes:
    """The artefact with one place of its header replaced or left out, and a valid checksum."""
    length = int.from_bytes(data[6:10], "little")
    header, tail = json.loads(data[10 : 10 + length]), data[10 + length : -32]
    path = draw.draw(st.sampled_from(places(header)[1:]))
    parent = header
    for key in path[:-1]:
        parent = parent[key]
    if draw.draw(st.booleans()):
        parent[path[-1]] = draw.draw(JSON)
    else:
        del parent[path[-1]]
    text = json.dumps(header).encode()
    return signed(data[:6] + len(text).to_bytes(4, "little") + text + tail)


@settings(max_examples=300)
@given(st.data())
def test_a_forged_detector_is_refused_or_read(draw: st.DataObject) -> None:
    with suppress(BadArtefact):
        Detector.from_bytes(changed(WHOLE.to_bytes(), draw))


@settings(max_examples=300)
@given(st.data())
def test_a_forged_state_is_refused_or_goes_on(draw: st.DataObject) -> None:
    with suppress(BadArtefact):
        scores = WHOLE.score(three(650, 655), state=changed(STATE, draw))
        assert np.isfinite(scores.score).all()


@pytest.mark.parametrize("shape", [[2**62], [2**40, 2**40], [10**9, 3], [0, 10**12], [2**63], [1] * 100])
def test_a_forged_header_makes_nothing_large(shape: list[int]) -> None:
    forged = with_header(
        {"kind": "thing", "meta": {}, "arrays": [{"name": "x", "type": "f8", "shape": shape}]}, b"12345678"
    )
    tracemalloc.start()
    with pytest.raises(BadArtefact):
        unpack(forged, "thing")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


def test_a_deep_or_long_header_is_refused() -> None:
    deep = b"[" * 100_000
    for text, length in ((deep, len(deep)), (b"{}", 2**32 - 1)):
        with pytest.raises(BadArtefact):
            unpack(signed(b"L4EA" + (2).to_bytes(2, "little") + length.to_bytes(4, "little") + text), "thing")
