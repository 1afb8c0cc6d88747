"""The app as it is cloned, and `assets.toml`: what it takes, and what it says when it is wrong."""

import datetime as dt
import json
import math
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import jsii
import pytest
from aws_cdk import aws_s3 as s3
from canonical import custom, imported_service, lint, locations, synthesised

import app as the_app
from app import build
from constructs_l4e import Adaptation, InputNaming, Label, MonitoredAsset
from constructs_l4e.assets_file import AssetsFile, declared_in
from l4e_layer import EMPTY_LAYER

ROOT = Path(__file__).resolve().parents[2]
PUMP = """
[assets.Pump1]
training = { start = 2026-01-01T00:00:00Z, end = 2026-03-01T00:00:00Z }
sensors.pump = ["Speed", "Flow"]
"""


FLAGS = {**json.loads((ROOT / "cdk.json").read_text())["context"], EMPTY_LAYER: True}


def run_app(folder: Path, *, validation: str = "false", **context: str) -> Any:
    """Run the app as the CDK command line does, from another folder, with no account in reach."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))}
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        cwd=folder,
        env={
            **environment,
            "CDK_OUTDIR": str(folder / "cdk.out"),
            "CDK_CONTEXT_JSON": json.dumps({**FLAGS, **context}),
            "CDK_DEFAULT_REGION": "eu-west-1",
            "CDK_VALIDATION": validation,
            "PYTHONPATH": str(ROOT),
        },
        capture_output=True,
        text=True,
        check=False,
    )


def synthesise(folder: Path, region: str | None = "eu-west-1", **context: str) -> None:
    """Synthesise the app in this process, which is faster."""
    app = cdk.App(analytics_reporting=False, outdir=str(folder / "cdk.out"), context={**FLAGS, **context})
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("CDK_DEFAULT_REGION", raising=False)
        if region is not None:
            patch.setenv("CDK_DEFAULT_REGION", region)
        build(app)
    app.synth()


def stack_template(folder: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((folder / "cdk.out" / f"{name}.template.json").read_text())
    return content


def declared(folder: Path, text: str) -> AssetsFile:
    path = folder / "assets.toml"
    path.write_text(text)
    return AssetsFile.read(path)


class TestApp:
    def test_as_cloned_passes_every_check(self, tmp_path: Path) -> None:
        run = run_app(tmp_path, validation="true")
        assert run.returncode == 0, run.stderr
        assert "WARNING" not in run.stderr
        for name in ("L4eService", "Pump1"):
            assert lint(tmp_path / "cdk.out" / f"{name}.template.json") == ""
        assert {"ApiId", "ApiStage", "EndpointUrl", "DataBucket", "ServiceBucket"} <= stack_template(
            tmp_path, "L4eService"
        )["Outputs"].keys()

    def test_makes_a_stack_of_each_asset(self, tmp_path: Path) -> None:
        file = tmp_path / "plant.toml"
        file.write_text(PUMP + PUMP.replace("Pump1", "Pump2") + '[service]\nstack_name = "Monitoring"\n')
        synthesise(tmp_path, assets=str(file))
        assert {path.name.partition(".")[0] for path in (tmp_path / "cdk.out").glob("*.template.json")} == {
            "Monitoring",
            "Pump1",
            "Pump2",
        }
        manifest = json.loads((tmp_path / "cdk.out" / "manifest.json").read_text())["artifacts"]
        assert "Monitoring" in manifest["Pump1"]["dependencies"]
        assert "Pump2" not in manifest["Pump1"]["dependencies"]

    def test_names_are_the_same_with_and_without_a_region(self, tmp_path: Path) -> None:
        """A build server knows none; a person's shell does."""
        outputs = []
        for region in (None, "eu-west-1"):
            folder = tmp_path / f"in-{region}"
            synthesise(folder, region)
            outputs.append(stack_template(folder, "Pump1")["Outputs"])
        assert outputs[0] == outputs[1]
        assert {"ModelName", "InferenceSchedulerName"} <= outputs[0].keys()

    def test_is_for_any_region(self, tmp_path: Path) -> None:
        synthesise(tmp_path, "us-gov-west-1")
        assert stack_template(tmp_path, "L4eService")["Resources"]

    def test_says_what_is_wrong_with_the_file_and_nothing_else(self, tmp_path: Path) -> None:
        file = tmp_path / "plant.toml"
        file.write_text(PUMP + "labeled = true")
        run = run_app(tmp_path, assets=str(file))

        assert run.returncode == 1
        assert run.stderr.splitlines()[-1].startswith(
            "Error: plant.toml [assets.Pump1]: unknown key 'labeled': did you mean 'labelled'?"
        )
        assert "Traceback" not in run.stderr
        assert not list((tmp_path / "cdk.out").glob("*.template.json"))

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                PUMP + "evaluation = { start = 2026-02-01T00:00:00Z, end = 2026-05-01T00:00:00Z }",
                '[assets.Pump1]: evaluation starts at "2026-02-01T00:00:00+00:00", before training ends',
            ),
            (
                PUMP + "[service]\nmetric_namespace = ':x'",
                "[service]: metric_namespace ':x' is no namespace",
            ),
        ],
    )
    def test_names_the_table_that_a_construct_refuses(self, tmp_path: Path, text: str, message: str) -> None:
        file = tmp_path / "plant.toml"
        file.write_text(text)
        app = cdk.App(analytics_reporting=False, context={"assets": str(file), EMPTY_LAYER: True})

        with pytest.raises(ValueError, match=f"^plant.toml {re.escape(message)}"):
            build(app)

    @pytest.mark.parametrize("name", ["A b", "ab"])
    def test_names_the_table_in_what_the_cdk_refuses(self, name: str) -> None:
        scope = cdk.Stack(cdk.App(analytics_reporting=False), "Pump1")
        with (
            pytest.raises(ValueError, match=r"^plant.toml \[service\]: .*Invalid S3 bucket name"),
            declared_in("plant.toml [service]"),
        ):
            s3.Bucket.from_bucket_name(scope, "Bucket", name)

    def test_says_what_is_found_at_synthesis_without_a_traceback(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def refused(app: cdk.App) -> None:
            scope = cdk.Stack(app, "Pump1")
            cdk.CfnOutput(scope, "Value", value=cdk.Lazy.string(_Refusing()))

        monkeypatch.setenv("CDK_OUTDIR", str(tmp_path))
        monkeypatch.setattr(the_app, "build", refused)
        with pytest.raises(SystemExit) as ended:
            the_app.main()
        said = str(ended.value.code)
        assert said.startswith("Error: what assets.toml declares cannot be synthesised: ")
        assert "the name is taken" in said

    def test_leaves_faults_of_its_own_as_they_are(self) -> None:
        with pytest.raises(RuntimeError, match=r"^a bug$"), declared_in("plant.toml"):
            raise RuntimeError("a bug")


@jsii.implements(cdk.IStableStringProducer)
class _Refusing:
    def produce(self) -> str:
        raise ValueError("the name is taken")


def known_keys(folder: Path, table: str) -> list[str]:
    """The keys of a table, as the refusal of another one lists them."""
    with pytest.raises(ValueError, match="unknown key") as caught:
        declared(folder, f"{PUMP}[{table}]\n'?' = 1")
    return str(caught.value).partition("use one of ")[2].split(", ")


class TestAssetsFile:
    def test_of_the_repository_declares_the_pump(self) -> None:
        (pump,) = AssetsFile.read(ROOT / "assets.toml").assets
        assert pump.name == "Pump1"
        assert len(pump.schema.sensor_ids) == 8

    def test_leaves_the_rest_to_the_constructs(self, tmp_path: Path) -> None:
        found = declared(tmp_path, PUMP)
        (pump,) = found.assets
        assert pump.training.start == dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
        assert pump.schema.sensor_ids == (r"pump\Speed", r"pump\Flow")
        assert (pump.evaluation, pump.off_condition, pump.labelled, pump.running) == (None, None, False, True)
        assert found.service.stack_name == "L4eService"
        assert found.service.removal_policy is cdk.RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        assert not found.service.deletion_protection
        assert found.service.parallel_reads == 5
        assert found.service.settings.to_json() == "{}"

    def test_takes_everything(self, tmp_path: Path) -> None:
        (tmp_path / "labels.csv").write_text("start,end,rating\n2026-01-01,2026-01-02,NEUTRAL\n")
        found = declared(
            tmp_path,
            """
            [service]
            stack_name = "Monitoring"
            metric_namespace = "Plant"
            training_memory_mib = 3008
            parallel_reads = 100
            removal_policy = "destroy"
            deletion_protection = true
            false_alarm_minutes_per_day = 15
            partial_inference = true
            adaptation = "hold"
            [service.limits]
            models = 0
            datasets = 3
            minimum_training_days = 1
            inference_catch_up_hours = 48
            [assets.A]
            labelled = true
            label_group = "labels.csv"
            diagnostics = true
            running = false
            revision = "2"
            off_condition = 'a\\x < 1'
            adaptation = "follow"
            target_sampling_rate = "PT1M"
            data_upload_frequency = "PT10M"
            data_delay_offset_minutes = 5
            input_naming = { timestamp_format = "EPOCH", delimiter = "", time_zone_offset = "+05:30" }
            training = { start = 2026-01-01T00:00:00+02:00, end = 2026-03-01T00:00:00Z }
            evaluation = { start = 2026-03-01T00:00:00Z, end = 2026-04-01T00:00:00Z }
            [assets.A.retraining]
            frequency = "P3M"
            lookback = "P720D"
            start = 2027-01-01
            promote = "MANUAL"
            running = false
            [assets.A.sensors]
            a = ["x"]
            """,
        )
        assert found.service.settings.models == math.inf
        assert json.loads(found.service.settings.to_json()) == {
            "models": None,
            "datasets": 3,
            "minimum_training_days": 1,
            "inference_catch_up_hours": 48,
            "false_alarm_hours": 0.25,
            "partial_inference": True,
            "adaptation": "hold",
        }
        assert found.service.training_memory is not None
        assert found.service.training_memory.to_mebibytes() == 3008
        assert found.service.parallel_reads == 100
        assert found.service.deletion_protection
        (asset,) = found.assets
        assert asset.data_delay_offset is not None
        assert asset.data_delay_offset.to_minutes() == 5
        assert asset.input_naming == InputNaming(
            timestamp_format="EPOCH", delimiter="", time_zone_offset="+05:30"
        )
        assert asset.training.start == dt.datetime(2025, 12, 31, 22, tzinfo=dt.UTC)
        assert (asset.labelled, asset.diagnostics, asset.running, asset.revision) == (True, True, False, "2")
        assert asset.adaptation is Adaptation.FOLLOW
        label = Label.between("2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z", rating="NEUTRAL")
        assert asset.label_group == {"labels": [label]}
        assert asset.retraining == {
            "retraining_frequency": "P3M",
            "lookback_window": "P720D",
            "start_date": dt.date(2027, 1, 1),
            "promote_mode": "MANUAL",
            "running": False,
        }

    def test_retrains_an_asset_where_it_says_so(self, tmp_path: Path) -> None:
        (pump,) = declared(tmp_path, PUMP + "retraining = { frequency = 'P2M' }").assets

        def build(scope: cdk.Stack) -> None:
            service, at = imported_service(scope), locations(scope)
            asset = MonitoredAsset(scope, "Pump", service=service, locations=at, **pump.monitoring())
            assert asset.retraining is not None

        found = custom(synthesised(build), "RetrainingScheduler")["Properties"]
        assert (found["RetrainingFrequency"], found["LookbackWindow"]) == ("P2M", "P360D")
        assert (found["PromoteMode"], found["DesiredState"]) == ("MANAGED", "RUNNING")

    @pytest.mark.parametrize(
        ("of_service", "of_asset", "policy"),
        [
            ("", "", "RetainExceptOnCreate"),
            ("removal_policy = 'destroy'", "", "Delete"),
            ("removal_policy = 'destroy'", "removal_policy = 'retain'", "RetainExceptOnCreate"),
            ("", "removal_policy = 'destroy'", "Delete"),
        ],
    )
    def test_says_what_stays_when_the_stack_of_an_asset_is_deleted(
        self, tmp_path: Path, of_service: str, of_asset: str, policy: str
    ) -> None:
        (pump,) = declared(tmp_path, f"[service]\n{of_service}\n{PUMP}{of_asset}").assets

        def build(scope: cdk.Stack) -> None:
            service, at = imported_service(scope), locations(scope)
            MonitoredAsset(scope, "Pump", service=service, locations=at, **pump.monitoring())

        content = synthesised(build)
        assert {custom(content, kind)["DeletionPolicy"] for kind in ("Dataset", "Model")} == {policy}
        assert custom(content, "InferenceScheduler")["DeletionPolicy"] == "Delete"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[assets.A", "is not a TOML file: "),
            ("[asset.A]", "assets.toml: unknown key 'asset': did you mean 'assets'?"),
            ("assets = 3", "assets.toml: assets: 3 is not a table"),
            (
                "[service]\nname = 'x'",
                "[service]: unknown key 'name': use one of adaptation, controls, deletion_protection, ",
            ),
            ("[service]\nremoval_policy = 'keep'", "[service]: removal_policy: 'keep' is not \"retain\" or"),
            ("[service.limits]\nmodels = -1", "[service.limits]: models: -1 is not a whole number from 0"),
            ("[service.limits]\ninference_catch_up_hours = 0", "0 is not a whole number from 1"),
            ("[service.limits]\nwide_rows_percent = 101", "101 is not a whole number from 0 to 100"),
            ("[service.limits]\nmodels = true", "models: true is not a whole number from 0"),
            (
                "[assets.A]\nsensors.a = ['x']",
                "[assets.A]: training is missing: add for instance training = {",
            ),
            (
                PUMP.replace("sensors.pump", "sensor.pump"),
                "[assets.Pump1]: sensors is missing: add for instance",
            ),
            (
                PUMP.replace('["Speed", "Flow"]', '"Speed"'),
                "sensors: 'Speed' is not a list of sensor names for",
            ),
            (PUMP + "labeled = true", "[assets.Pump1]: unknown key 'labeled': did you mean 'labelled'?"),
            (PUMP + "label_group = 'none.csv'", "none.csv' does not exist: give a CSV file with start, end"),
            (PUMP + "labelled = 'yes'", "[assets.Pump1]: labelled: 'yes' is not true or false"),
            (
                PUMP + "target_sampling_rate = 'PT2M'",
                "target_sampling_rate: 'PT2M' is not one of PT1S, PT5S, ",
            ),
            (PUMP + "input_naming = '_'", "[assets.Pump1]: input_naming: '_' is not a table"),
            (
                PUMP + "input_naming = { delimiter = '.' }",
                'Pump1] input_naming: delimiter: delimiter "." does not match',
            ),
            (
                PUMP + "input_naming = { delimiter = 1 }",
                "input_naming: delimiter: 1 is not a text in quotes",
            ),
            (
                PUMP + "input_naming = { timestamp_format = 'epoch' }",
                "input_naming: timestamp_format: 'epoch' is not one of EPOCH, yyyy-MM-dd-HH-mm-ss, ",
            ),
            (
                PUMP + "input_naming = { time_zone_offset = '5' }",
                'time_zone_offset: time zone offset "5" does not match',
            ),
            (
                PUMP + "input_naming = { timestampformat = 'EPOCH' }",
                "input_naming: unknown key 'timestampformat': did you mean 'timestamp_format'?",
            ),
            (
                PUMP + "retraining = {}",
                "Pump1] retraining: frequency is missing: add for instance frequency =",
            ),
            (PUMP + "retraining = true", "[assets.Pump1]: retraining: true is not a table, such as"),
            (PUMP + "label_group = '.'", "is no file: give a CSV file with start, end"),
            (PUMP.replace("Z", "", 1), "training: 2026-01-01T00:00:00 is not a time with zone, such as 2026"),
            (
                PUMP + "retraining = { frequency = 'P1D' }",
                'frequency "P1D" is not between 30 days and one year',
            ),
            (
                PUMP + "retraining = { frequency = 'P2M', start = 2027-01-01T00:00:00Z }",
                "retraining: start: 2027-01-01T00:00:00+00:00 is not",
            ),
            (
                PUMP + "retraining = { frequency = 'P2M', promot = 'MANUAL' }",
                "retraining: unknown key 'promot': did you mean 'promote'?",
            ),
            (PUMP + "off_condition = 'Speed'", "[assets.Pump1]: off_condition: "),
            (PUMP + "adaptation = 'never'", "adaptation: 'never' is not one of auto, hold, follow"),
            (PUMP.replace("2026-01-01T00:00:00Z", "'2026'"), "training: '2026' is not a time with zone"),
            (
                PUMP.replace("2026-01-01T00:00:00Z", "2026-01-01"),
                "training: 2026-01-01 is not a time",
            ),
            (PUMP.replace("2026-01-01T00:00:00Z", "2026-01-01T00:00:00"), "[assets.Pump1]: training: "),
            (PUMP.replace("start", "begin"), "is not a range such as { start = 2026-01-01T00:00:00Z, end ="),
            (PUMP.replace("2026-01-01", "2026-04-01"), "[assets.Pump1]: training: time range starts at "),
            (PUMP.replace("Pump1", "L4eService"), "asset 'L4eService' has the name of the service's stack"),
            (
                PUMP.replace("Pump1", "Pump_1"),
                "asset 'Pump_1' cannot name a stack: use letters, digits and '-'",
            ),
        ],
    )
    def test_that_is_wrong_says_where_and_what_to_do(self, tmp_path: Path, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=r"assets\.toml") as caught:
            declared(tmp_path, text)
        assert message in str(caught.value)

    @pytest.mark.parametrize(
        ("table", "where"),
        [
            ("service", "[service]"),
            ("service.limits", "[service.limits]"),
            ("service.network", "[service] network"),
            ("service.controls", "[service] controls"),
            ("assets.Pump1.input_naming", "[assets.Pump1] input_naming"),
        ],
    )
    def test_refuses_a_value_of_another_kind_of_every_key(
        self, tmp_path: Path, table: str, where: str
    ) -> None:
        for key in known_keys(tmp_path, table):
            with pytest.raises(ValueError, match=r"assets\.toml") as caught:
                declared(tmp_path, f"{PUMP}[{table}]\n{key} = 12:30:00")
            assert str(caught.value).startswith(f"assets.toml {where}: {key}: datetime.time(12, 30) is not ")

    def test_of_an_asset_refuses_a_value_of_another_kind_of_every_key(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match="unknown key") as caught:
            declared(tmp_path, PUMP + "'?' = 1")
        for key in str(caught.value).partition("use one of ")[2].split(", "):
            others = [line for line in PUMP.splitlines() if not line.startswith(key)]
            with pytest.raises(ValueError, match=r"assets\.toml") as caught:
                declared(tmp_path, "\n".join(others) + f"\n{key} = 12:30:00")
            said = f"assets.toml [assets.Pump1]: {key}: datetime.time(12, 30) is not "
            assert str(caught.value).startswith(said)

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            (
                "[service]\nstack_name = '1x'",
                "stack_name: '1x' is not of the form \"L4eService\": ",
            ),
            ("[service]\nstack_name = 'a b'", "stack_name: 'a b' is not of the form"),
            (f"[service]\nstack_name = '{'x' * 129}'", "stack_name: 'xxx"),
            ("[service]\ntraining_memory_mib = 100", "100 is not a whole number from 2,048 to 10,240"),
            ("[service]\nparallel_reads = 0", "[service]: parallel_reads: 0 is not a whole number from 1"),
            (
                "[service]\nfalse_alarm_minutes_per_day = 1440",
                "[service]: false_alarm_minutes_per_day: 1440 is not a whole number from 1 to 1,439",
            ),
            ("[assets]\nA = 3", "assets.toml [assets]: A: 3 is not a table"),
            (
                PUMP + "data_delay_offset_minutes = 61",
                "minutes: 61 is not a whole number from 0 to 60",
            ),
            (
                PUMP + "imported.dataset = 'Pump1'",
                '[assets.Pump1] imported: dataset: ARN of a dataset "Pump1" has 5 characters: ',
            ),
            (
                PUMP + "input_naming.time_zone_offset = '+05:20'",
                'time zone offset "+05:20" is no time zone: use -12:00 to +14:00 in steps of 15 minutes',
            ),
            (
                PUMP + "evaluation = { start = 2026-03-01T00:00:00Z, end = 9999-12-31T23:00:00-12:00 }",
                '[assets.Pump1]: evaluation: end of time range "9999-12-31T23:00:00-12:00" is not within the',
            ),
        ],
    )
    def test_that_a_construct_or_the_cdk_would_refuse_is_told_by_its_key(
        self, tmp_path: Path, text: str, message: str
    ) -> None:
        with pytest.raises(ValueError, match=r"^assets\.toml") as caught:
            declared(tmp_path, text)
        assert message in str(caught.value)

    def test_that_is_no_file_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(ValueError, match=rf"^'{re.escape(str(tmp_path))}' cannot be read \(.*\): "):
            AssetsFile.read(tmp_path)

    def test_may_begin_with_the_mark_of_an_editor(self, tmp_path: Path) -> None:
        assert declared(tmp_path, "\ufeff" + PUMP).assets[0].name == "Pump1"

    def test_that_is_missing_is_named(self, tmp_path: Path) -> None:
        with pytest.raises(
            ValueError, match=r"none.toml' does not exist: give the file that declares the assets"
        ):
            AssetsFile.read(tmp_path / "none.toml")
