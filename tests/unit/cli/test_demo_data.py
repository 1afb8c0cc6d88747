"""The data that a demo plays: the pump, folders of files, splits and windows."""

import datetime as dt
import gzip
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4e_cli.demo.findings import Evaluation
from l4e_cli.demo.folder import read_folder
from l4e_cli.demo.live import Window, covered
from l4e_cli.demo.pump import OFF_BELOW, SENSORS
from l4e_cli.demo.recording import ComponentRecording, Recording, duration_seconds, snap
from l4e_cli.demo.scenario import PumpScenario, pump_scenario, replay_scenario
from l4e_cli.errors import CliError
from l4e_cli.interval import Interval
from l4e_cli.terminal import Terminal

ROOT = Path(__file__).parents[3]
NOTHING_FOUND = Evaluation(
    labels=(), ranges=(), identified=0, warning_seconds=0, unknown=0, unknown_seconds=0
)


def read(folder: Path) -> Recording:
    return read_folder(Terminal(), folder)


@pytest.fixture(scope="module")
def pump() -> PumpScenario:
    return pump_scenario()


def column(part: ComponentRecording, sensor: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return part.values[:, part.sensors.index(sensor)]


def inside(part: ComponentRecording, interval: Interval) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    return (part.times >= interval.start) & (part.times <= interval.end)


class TestPump:
    def test_is_what_the_app_declares(self, pump: PumpScenario) -> None:
        declared = tomllib.loads((ROOT / "assets.toml").read_text())["assets"][pump.asset]
        (part,) = pump.history.components
        assert declared["sensors"] == {part.name: list(SENSORS)}
        assert declared["target_sampling_rate"] == pump.sampling_rate
        assert declared["off_condition"] == pump.off_condition
        for name, interval in (("training", pump.training), ("evaluation", pump.evaluation)):
            stamps = (declared[name]["start"], declared[name]["end"])
            assert [np.datetime64(stamp.replace(tzinfo=None), "s") for stamp in stamps] == [
                interval.start,
                interval.end,
            ]

    def test_is_the_same_every_time(self, pump: PumpScenario) -> None:
        again = pump_scenario().history.components[0]
        assert again.to_csv() == pump.history.components[0].to_csv()

    def test_no_sensor_leaves_its_healthy_range_in_a_fault(self, pump: PumpScenario) -> None:
        (part,) = pump.history.components
        faulty = np.logical_or.reduce([inside(part, label) for label in pump.history.labels])
        healthy = ~faulty & (column(part, "Speed") > OFF_BELOW)
        for sensor in SENSORS:
            values = column(part, sensor)
            assert values[healthy].min() <= values[faulty].min(), sensor
            assert values[faulty].max() <= values[healthy].max(), sensor

    def test_flow_does_not_follow_speed_in_a_fault(self, pump: PumpScenario) -> None:
        (part,) = pump.history.components
        ratio = column(part, "Flow") / np.maximum(column(part, "Speed"), 1)
        high = column(part, "Speed") > 2700
        for label in pump.history.labels:
            late = Interval(start=label.start + np.timedelta64(90, "m"), end=label.end)
            healthy = high & ~np.logical_or.reduce([inside(part, each) for each in pump.history.labels])
            assert ratio[inside(part, late)].max() < 0.8 * np.median(ratio[healthy])

    def test_is_off_now_and_then(self, pump: PumpScenario) -> None:
        off = column(pump.history.components[0], "Speed") < OFF_BELOW
        assert 0.005 < off.mean() < 0.2

    def test_breaks_inside_the_window(self, pump: PumpScenario) -> None:
        window = Window(start=dt.datetime(2026, 11, 21, 10, 5, tzinfo=dt.UTC), length=dt.timedelta(minutes=5))
        time = covered(window, pump.step)
        fresh = pump.fresh(window.interval, time, NOTHING_FOUND)
        assert window.interval.start < fresh.labels[0].start < window.interval.end
        (part,) = fresh.components
        assert part.times.min() == time.start
        before = part.between(Interval(start=time.start, end=fresh.labels[0].start))
        assert column(before, "Flow").min() > 1.2 * column(part.between(fresh.labels[0]), "Flow").max()


class TestFolder:
    def write(self, folder: Path, name: str, text: str) -> None:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())

    def test_a_file_called_data_is_the_folder(self, tmp_path: Path) -> None:
        folder = tmp_path / "valve 1"
        self.write(
            folder, "data.csv.gz", "Timestamp,Flow Rate,T\n2026-01-01T00:00:00,1,\n2026-01-01 00:00:01,x,2\n"
        )
        self.write(folder, "labels.csv", "2026-01-01T00:00:00,2026-01-01T00:00:01\n")
        self.write(folder, "meta.json", "{}")
        recording = read(folder)
        (part,) = recording.components
        assert (part.name, part.sensors) == ("valve_1", ("Flow_Rate", "T"))
        np.testing.assert_array_equal(part.values, [[1, np.nan], [np.nan, 2]])
        assert recording.labels_csv() == b"2026-01-01T00:00:00,2026-01-01T00:00:01\n"
        assert part.to_csv().splitlines()[1] == b"2026-01-01T00:00:00.000000,1.0,"

    def test_files_and_folders_are_components(self, tmp_path: Path) -> None:
        self.write(tmp_path, "motor.csv", "t,A\n2026-01-01,1\n")
        self.write(tmp_path, "pump/2.csv", "t,B\n2026-01-02,2\n")
        self.write(tmp_path, "pump/1.csv", "t,B\n2026-01-01,1\n")
        recording = read(tmp_path)
        assert recording.sensor_ids == ("motor\\A", "pump\\B")
        assert recording.sensor("pump\\B")[1].tolist() == [1, 2]

    def test_what_is_put_right_is_told(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        rows = "".join(f"04/03/2026 00:{minute:02d},{minute},1\n" for minute in range(20))
        self.write(tmp_path, "pump.csv", f"t,A,B\n{rows}04/03/2026 00:19,-9999,Bad\n")
        self.write(tmp_path, "labels.csv", "03/04/2026 00:05,03/04/2026 00:07\n")
        read(tmp_path)
        told = " ".join(capsys.readouterr().out.split())
        for text in (
            "pump: 1 row(s) repeat a timestamp of the same file",
            "pump\\B: 1 cell(s) of sensor 'B' are not numbers and count as missing, first in line 22 ('Bad')",
            "21 date(s) fit both orders of day and month, and were read with the month first",
            "labels.csv: no date shows whether day or month comes first",
        ):
            assert text in told

    def test_what_is_right_needs_no_words(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.write(tmp_path, "pump.csv", "t,A\n2026-03-04T00:00:00,1\n2026-03-04T00:01:00,2\n")
        self.write(tmp_path, "labels.csv", "2026-03-04T00:00:00,2026-03-04T00:01:00\n")
        read(tmp_path)
        assert not capsys.readouterr().out.strip()

    def test_labels_outside_the_data_are_told(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A wrong year in one of them put the end of training outside the data."""
        self.write(tmp_path, "pump.csv", "t,A\n" + "".join(f"2026-01-{day:02d},1\n" for day in range(1, 30)))
        self.write(tmp_path, "labels.csv", "2026-01-20,2026-01-21\n2027-01-20,2027-01-21\n")
        found = read(tmp_path)
        assert found.labels_csv() == b"2026-01-20T00:00:00,2026-01-21T00:00:00\n"
        assert "1 label left out: outside the data, which runs from 2026-01-01T" in capsys.readouterr().out
        replay_scenario(found, name="x", train_until=None, off_condition=None)

    def test_locks_of_office_are_no_components(
        self, tmp_path: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.write(tmp_path, "pump.csv", "t,A\n2026-01-01,1\n2026-01-02,2\n")
        self.write(tmp_path, "~$pump.csv", "me")
        assert read(tmp_path).sensor_ids == ("pump\\A",)
        assert "~$pump.csv: Office marks with it that a file is open there" in capsys.readouterr().out

    def test_files_of_a_component_may_have_other_columns(self, tmp_path: Path) -> None:
        self.write(tmp_path, "p/1.csv", "t,A\n2026-01-01,1\n")
        self.write(tmp_path, "p/2.csv", "t,B\n2026-01-02,2\n")
        (part,) = read(tmp_path).components
        assert part.sensors == ("A", "B")
        np.testing.assert_array_equal(part.values, [[1, np.nan], [np.nan, 2]])

    def test_every_digit_is_kept(self, tmp_path: Path) -> None:
        self.write(
            tmp_path, "pump.csv", "t,Total,Tiny\n2026-01-01,12345678.4,1.2345678901e-9\n2026-01-02,,\n"
        )
        (part,) = read(tmp_path).components
        assert part.to_csv().splitlines()[1].split(b",")[1:] == [b"12345678.4", b"1.2345678901e-09"]

    def test_names_that_the_service_does_not_allow_stay_apart(self, tmp_path: Path) -> None:
        self.write(tmp_path, "pump.csv", "t,Level &,Level !\n2026-01-01,1,2\n2026-01-02,3,4\n")
        (part,) = read(tmp_path).components
        assert part.sensors == ("Level", "Level_2")
        assert part.values.tolist() == [[1, 2], [3, 4]]

    def test_an_export_is_prepared(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        export = "Zeit;Füllstand [%];Druck\n31.01.2026 10:00:00;1,5;12345678,4\n31.01.2026 10:01:00;2,5;7\n"
        (tmp_path / "p").mkdir()
        (tmp_path / "p" / "a.csv").write_bytes(export.encode("cp1252"))
        self.write(tmp_path, "p/b.csv", "t,Druck\n2026-02-01,8\n")
        (part,) = read(tmp_path).components
        assert part.sensors == ("Fuellstand_pct", "Druck")
        np.testing.assert_array_equal(part.values, [[1.5, 12345678.4], [2.5, 7], [np.nan, 8]])
        assert "a.csv is prepared, since the service does not take it" in capsys.readouterr().out

    @pytest.mark.parametrize("name", ["labels.csv", "Labels.csv", "LABELS.CSV"])
    def test_labels_in_any_case_are_labels(self, tmp_path: Path, name: str) -> None:
        self.write(tmp_path, "pump.csv", "t,A\n2026-01-01,1\n2026-01-02,2\n")
        self.write(tmp_path, name, "2026-01-01,2026-01-02\n")
        recording = read(tmp_path)
        assert recording.sensor_ids == ("pump\\A",)
        assert len(recording.labels) == 1

    @pytest.mark.parametrize(
        ("files", "message"),
        [
            ({}, "no .csv or .csv.gz file in"),
            ({"a.csv": "t\n2026-01-01\n"}, r"a\.csv: .*a timestamp and a sensor"),
            ({"a.csv": "t,A\n"}, r"a\.csv: no row has a usable timestamp"),
            ({"a.csv": "t,A\nyesterday,1\n"}, r"a\.csv: .*'yesterday'"),
            (
                {"Pump 1.csv": "t,A\n2026-01-01,1\n", "Pump_1.csv": "t,A\n2026-01-01,1\n"},
                r"'Pump 1\.csv' and 'Pump_1\.csv' in .* would both become the component 'Pump_1'",
            ),
            (
                {"a.csv": "t;A\n" + "".join(f"0{day}.02.2026 10:00;1,{day}00\n" for day in (1, 3))},
                r"(?s)a\.csv can be read in several ways\. Decide with `l4e prepare .*--set",
            ),
            (
                {"a.csv": "t,A\n2026-01-01,1\n", "labels.csv": "2026-01-01,2026-01-02,x\n"},
                "labels.csv: line 1",
            ),
            (
                {"a.csv": "t,A\n2026-01-01,1\n", "labels.csv": "2026-01-02,2026-01-01\n"},
                "labels.csv: line 1.* lies before the start",
            ),
            (
                {"a.csv": "t,A\n2026-01-01,1\n", "faults.csv": "2026-01-01,2026-01-02\n"},
                r"faults\.csv holds labels, it seems: .* Call it labels\.csv",
            ),
            *(
                (
                    {"a.csv": "t,A\n2026-01-01,1\n", "faults.csv": text},
                    r"faults\.csv holds labels, it seems: .* Call it labels\.csv",
                )
                for text in (
                    "start,end\n2026-01-01,2026-01-02\n",
                    "start,end,rating\n2026-01-01,2026-01-02,\n",
                )
            ),
            (
                {"a.csv": "t,A\n2026-01-01,1\n", "b.csv": "t,A\n2026-01-01,on\n"},
                "component .b. has 1 row .* no sensor has a single valid value: .* .on. in line 2",
            ),
            (
                {"a.csv": "t,A\n2026-01-01,1\n2026-01-01,2\n"},
                r"^/.*: fewer than two rows at different times in 'a\.csv': a demo needs a history",
            ),
            (
                {f"p/{number}.csv": "t,A\n2026-01-01,1\n" for number in range(5)},
                r"^/.*: fewer than two rows .* in 'p/0\.csv', 'p/1\.csv', 'p/2\.csv' and 2 more: a demo",
            ),
        ],
    )
    def test_says_what_is_wrong(self, tmp_path: Path, files: dict[str, str], message: str) -> None:
        for name, text in files.items():
            self.write(tmp_path, name, text)
        with pytest.raises(CliError, match=message):
            read(tmp_path)

    def test_a_folder_that_is_not_there(self, tmp_path: Path) -> None:
        with pytest.raises(CliError, match=r"'.*nowhere' is not a folder"):
            read(tmp_path / "nowhere")


def recording(hours: int, labels: tuple[tuple[int, int], ...] = ()) -> Recording:
    start = np.datetime64("2026-01-01", "ms")
    times = start + np.arange(hours * 60) * np.timedelta64(1, "m")
    return Recording(
        components=(
            ComponentRecording(name="p", sensors=("A",), times=times, values=np.zeros((times.size, 1))),
        ),
        labels=tuple(
            Interval(start=start + np.timedelta64(a, "h"), end=start + np.timedelta64(b, "h"))
            for a, b in labels
        ),
    )


class TestSplit:
    @pytest.mark.parametrize(
        ("labels", "hour"),
        [((), 50), (((50, 60),), 40), (((80, 90), (50, 60)), 40), (((10, 12), (80, 82)), 50)],
        ids=["no labels", "a fifth before the first label", "labels in any order", "an early label"],
    )
    def test_training_comes_first(self, labels: tuple[tuple[int, int], ...], hour: int) -> None:
        scenario = replay_scenario(recording(100, labels), name="x", train_until=None, off_condition=None)
        end = np.datetime64("2026-01-01") + np.timedelta64(hour, "h")
        assert abs(scenario.training.end - end) <= np.timedelta64(1, "m")
        assert scenario.evaluation.start == scenario.training.end
        assert scenario.evaluation.end > scenario.history.span.end

    def test_the_end_can_be_chosen(self) -> None:
        chosen = np.datetime64("2026-01-02T00:00:00", "ms")
        scenario = replay_scenario(recording(100), name="x", train_until=chosen, off_condition="p\\A < 1")
        assert scenario.training.end == chosen
        declared = tomllib.loads(scenario.assets_file or "")
        assert declared["assets"]["x"]["off_condition"] == "p\\A < 1"
        assert declared["assets"]["x"]["sensors"] == {"p": ["A"]}

    def test_an_end_outside_of_the_data(self) -> None:
        with pytest.raises(CliError, match=r"training cannot end at 2027-.*: choose a time inside the data"):
            replay_scenario(
                recording(5), name="x", train_until=np.datetime64("2027-01-01", "ms"), off_condition=None
            )

    @pytest.mark.parametrize(
        ("name", "stack"), [("valve1_0", "valve1-0"), ("11 pumps", "Asset-11-pumps"), ("A", "A")]
    )
    def test_names_that_a_stack_can_have(self, name: str, stack: str) -> None:
        assert replay_scenario(recording(5), name=name, train_until=None, off_condition=None).asset == stack

    def test_the_labelled_stretch_is_replayed(self) -> None:
        scenario = replay_scenario(
            recording(100, ((50, 60),)), name="x", train_until=None, off_condition=None
        )
        window = Window(
            start=dt.datetime(2026, 11, 21, 10, 5, tzinfo=dt.UTC), length=dt.timedelta(minutes=60)
        )
        fresh = scenario.fresh(window.interval, covered(window, scenario.step), NOTHING_FOUND)
        assert window.interval.start < fresh.labels[0].start < window.interval.end
        assert fresh.span.start <= window.interval.start
        assert fresh.span.end >= window.interval.end


@pytest.mark.parametrize(
    ("seconds", "rate"),
    [(0.2, "PT1S"), (1, "PT1S"), (2, "PT1S"), (180, "PT5M"), (61, "PT1M"), (86_400, "PT1H")],
)
def test_the_sampling_rate_is_one_that_the_service_knows(seconds: float, rate: str) -> None:
    allowed = ("PT1S", "PT5S", "PT1M", "PT5M", "PT1H")
    assert snap(np.timedelta64(int(seconds * 1000), "ms"), allowed) == rate


@given(
    now=st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2030, 1, 1), timezones=st.just(dt.UTC)),  # noqa: DTZ001
    length=st.sampled_from(["PT5M", "PT10M", "PT15M", "PT30M", "PT1H"]),
)
def test_the_coming_window_is_aligned_and_leaves_time_to_write(now: dt.datetime, length: str) -> None:
    window = Window.coming(now, dt.timedelta(seconds=duration_seconds(length)))
    assert window.start.timestamp() % duration_seconds(length) == 0
    assert dt.timedelta(seconds=30) <= window.end - now < window.length + dt.timedelta(seconds=30)
