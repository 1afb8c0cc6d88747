"""`l4e demo` from start to end."""

import datetime as dt
import gzip
import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from botocore.exceptions import BotoCoreError, ClientError

from l4e_cli import commands
from l4e_cli.aws import Aws
from l4e_cli.cdk import find_app, synthesised_stacks
from l4e_cli.client_settings import DATA_PATH_VARIABLE, ENDPOINT_VARIABLE
from l4e_cli.demo import live, report
from l4e_cli.demo.findings import Evaluation, PredictedRange, Scored
from l4e_cli.demo.folder import read_folder
from l4e_cli.demo.live import Location, Window
from l4e_cli.demo.picture import DemoResults, LiveInference, draw
from l4e_cli.demo.recording import duration_seconds
from l4e_cli.demo.scenario import Scenario, pump_scenario, replay_scenario
from l4e_cli.errors import AlreadyRunningError, CliError
from l4e_cli.instance import Instance, stop_instance
from l4e_cli.terminal import Terminal
from l4e_cli.whole_file import whole_file

_DATA_BUCKET = "DataBucket"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of the command."""

    directory: Path
    output: Path
    region: str | None = None
    data: Path | None = None
    train_until: dt.datetime | None = None
    off_condition: str | None = None
    keep: bool = False
    verbose: bool = False


def demo(terminal: Terminal, options: Options) -> None:
    """Deploy one asset, show what its model finds in past and in new data, and stop again.

    Raises:
        CliError: when a step failed. Nothing is left running then, unless `keep` is set.
    """
    scenario = _scenario(terminal, options)
    options.output.mkdir(parents=True, exist_ok=True)  # what cannot be written is told now, not at the end
    try:
        instance = commands.start(terminal, options.directory, region=options.region, verbose=options.verbose)
        _Demo(terminal, options, scenario, instance, Aws.of(instance)).play()
    except AlreadyRunningError:
        raise
    except BaseException as error:
        if not (options.keep and isinstance(error, Exception)):
            stop_instance(options.directory)
        raise
    if options.keep:
        show_how_to_connect(terminal, instance, options.directory)
    else:
        commands.down(terminal, options.directory)


@dataclass(frozen=True, slots=True)
class _Demo:
    terminal: Terminal
    options: Options
    scenario: Scenario
    instance: Instance
    aws: Aws

    def play(self) -> None:
        """Run all steps in order.

        Once a model is trained there is a picture and a file of results, even when inference fails.
        """
        assembly = self._synthesise()
        asset = self.scenario.asset
        shared = [stack.name for stack in synthesised_stacks(assembly) if not stack.needs_data]
        self._deploy(assembly, shared)
        self._upload_history()
        self._deploy(assembly, [asset])

        outputs = self._outputs(asset)
        model, scheduler = outputs["ModelName"], outputs["InferenceSchedulerName"]
        evaluation = self._evaluation(model)
        report.show_evaluation(self.terminal, evaluation, self.scenario.evaluation)
        scores = self._evaluation_scores(model)
        failure: Exception | None = None
        inferred = None
        try:
            inferred = self._infer(scheduler, evaluation)
            self._show_alarms(scheduler, anomalous=bool(inferred.result.anomalous.any()))
        except (CliError, BotoCoreError, ClientError) as error:
            failure = error  # what training found is shown all the same
        results = DemoResults(
            asset=asset,
            recording=self.scenario.history,
            window=self.scenario.evaluation,
            evaluation=evaluation,
            scores=scores,
            live=inferred,
            step=self.scenario.step,
        )
        path = self.options.output / "picture.png"
        draw(results, path)
        self.terminal.heading("Picture")
        self.terminal.line(f"  {path.resolve()}")
        if failure is not None:
            raise failure

    def _synthesise(self) -> Path:
        context = []
        declaration = self.scenario.assets_file
        if declaration is not None:
            file = self.instance.directory / "work" / "assets.toml"
            file.parent.mkdir(exist_ok=True)
            file.write_text(declaration)
            context.append(f"assets={file}")
        return commands.synth(
            self.terminal,
            self.instance,
            find_app(Path.cwd()),
            context=context,
            verbose=self.options.verbose,
        )

    def _deploy(self, assembly: Path, stacks: Sequence[str]) -> None:
        commands.deploy(self.terminal, self.instance, assembly, stacks, verbose=self.options.verbose)

    def _outputs(self, name: str) -> dict[str, str]:
        return next(dict(stack.outputs) for stack in self.aws.stacks() if stack.name == name)

    def _upload_history(self) -> None:
        buckets = [stack.outputs.get(_DATA_BUCKET) for stack in self.aws.stacks()]
        bucket = next((bucket for bucket in buckets if bucket), None)
        if bucket is None:
            raise CliError(
                f"no stack of the app has an output {_DATA_BUCKET}: the demo cannot upload its data"
            )
        asset, history, s3 = self.scenario.asset, self.scenario.history, self.aws.s3
        for part in history.components:
            s3.put_object(Bucket=bucket, Key=f"{asset}/history/{part.name}/history.csv", Body=part.to_csv())
        if history.labels:
            s3.put_object(Bucket=bucket, Key=f"{asset}/labels/labels.csv", Body=history.labels_csv())
        where = f"s3://{bucket}/{asset}/history/"
        report.show_history(self.terminal, history, where=where, left_out=self.scenario.left_out)

    def _evaluation(self, model: str) -> Evaluation:
        metrics = self.aws.equipment.describe_model(ModelName=model).get("ModelMetrics")
        if metrics is None:
            raise CliError(f"model {model} has no metrics: it was trained without an evaluation window")
        return Evaluation.from_metrics(metrics)

    def _evaluation_scores(self, model: str) -> Scored | None:
        """Copy the point-by-point results of training and read them; None when the asset has none."""
        version: Mapping[str, Any] = self.aws.equipment.describe_model_version(
            ModelName=model, ModelVersion=1
        )
        if "ModelDiagnosticsResultsObject" not in version:
            return None
        where = version["ModelDiagnosticsResultsObject"]
        body = self.aws.s3.get_object(Bucket=where["Bucket"], Key=where["Key"])["Body"].read()
        lines = gzip.decompress(body)
        self._copy("evaluation.jsonl", lines)
        return Scored.from_lines(lines.decode().splitlines())

    def _infer(self, scheduler: str, evaluation: Evaluation) -> LiveInference:
        """Write new files, wait for the scheduler, and show what it found."""
        equipment, terminal = self.aws.equipment, self.terminal
        described = equipment.describe_inference_scheduler(InferenceSchedulerName=scheduler)
        source = described["DataInputConfiguration"]["S3InputConfiguration"]
        where = Location(bucket=source["Bucket"], prefix=source.get("Prefix", ""))
        length = dt.timedelta(seconds=duration_seconds(described["DataUploadFrequency"]))
        window = Window.coming(dt.datetime.now(dt.UTC), length)
        fresh = self.scenario.fresh(window.interval, live.covered(window, self.scenario.step), evaluation)
        terminal.heading("Inference on fresh data")
        names = [live.write_files(self.aws.s3, where, window, part) for part in fresh.components]
        terminal.done(f"fresh sensor files written: {where.uri(next(itertools.chain(*names), ''))} and so on")
        span = f"{report.utc(window.start)} to {report.utc(window.end)} UTC"
        whole = (window.end - dt.datetime.now(dt.UTC)).total_seconds()
        if not terminal.out.is_terminal:
            terminal.line(f"  the scheduler wakes at {report.utc(window.end)} UTC, in {whole:.0f} s")
        with terminal.step(f"waiting for {span}", done=f"scheduler woke for {span}") as task:

            def show(left: float) -> None:
                text = f"wakes in {left:.0f} s" if left > 0 else "inference runs"
                task.update(done=whole - max(left, 0), total=whole, text=text)

            execution = live.wait_for_execution(equipment, scheduler, window, show=show)
        if execution["Status"] != "SUCCESS":
            raise CliError(f"inference of {span} failed: {execution.get('FailedReason', 'no reason given')}")
        where_to = execution["CustomerResultObject"]
        result = self._fetch(where_to["Bucket"], where_to["Key"])
        ranges = result.ranges(self.scenario.step)
        report.show_anomalies(terminal, ranges, rows=result.times.size)
        self._show_events(scheduler, window)
        return LiveInference(recording=fresh, result=result, window=window.interval)

    def _fetch(self, bucket: str, key: str) -> Scored:
        """Copy a result file into the output folder and read it."""
        body = self.aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        self.terminal.line(f"  results: s3://{bucket}/{key}")
        self.terminal.line(f"  copy:    {self._copy('results.jsonl', body).resolve()}")
        return Scored.from_lines(body.decode().splitlines())

    def _copy(self, name: str, body: bytes) -> Path:
        """Write a file into the output folder, and return its path."""
        copy = self.options.output / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        with whole_file(copy) as partial:
            partial.write_bytes(body)
        return copy

    def _show_events(self, scheduler: str, window: Window) -> None:
        events = self.aws.equipment.list_inference_events(
            InferenceSchedulerName=scheduler,
            IntervalStartTime=window.start - window.length,
            IntervalEndTime=window.end + window.length,
        )["InferenceEventSummaries"]
        report.show_events(self.terminal, [PredictedRange.of_event(event) for event in events])

    def _show_alarms(self, scheduler: str, *, anomalous: bool) -> None:
        expected = {"InferenceSucceeded": "OK"} | ({"AnomalyDetected": "ALARM"} if anomalous else {})
        alarms = live.wait_for_alarms(self.aws.cloudwatch, scheduler, expected)
        report.show_alarms(self.terminal, alarms, expected)


def _scenario(terminal: Terminal, options: Options) -> Scenario:
    if options.data is None:
        for name, value in (("train-until", options.train_until), ("off-condition", options.off_condition)):
            if value is not None:
                raise CliError(f"--{name} is about the files of --data: give both, or neither")
        return pump_scenario()
    return replay_scenario(
        read_folder(terminal, options.data),
        name=options.data.resolve().name,
        train_until=None if options.train_until is None else np.datetime64(options.train_until, "ms"),
        off_condition=options.off_condition,
    )


def show_how_to_connect(terminal: Terminal, instance: Instance, directory: Path) -> None:
    """Show the lines with which clients in a shell talk to the service of an instance."""
    environment = instance.environment(service_url=Aws.of(instance).service_url())
    terminal.heading("It still runs. With these two, boto3 and the AWS CLI talk to the service:")
    for name in (DATA_PATH_VARIABLE, ENDPOINT_VARIABLE):
        terminal.line(commands.export(name, environment[name]))
    terminal.line("and, as it is not your own AWS account, with its authority, region and credentials:")
    for name in ("AWS_CA_BUNDLE", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        terminal.line(commands.export(name, environment[name]))
    terminal.line(f"Try `aws lookoutequipment list-models`; stop it with `l4e down --state-dir {directory}`.")
