"""Train the largest model through the entry point of the deployed function, and report time and memory.

    python -m benchmarks.job [--rows N] [--evaluation N] [--sensors N] [--components N] [--drift] [--labels]
                             [--diagnostics] [--retrain] [--counter] [--memory MIB] [--python FILE]
                             [--json FILE]

The embedded AWS of the tests holds the records and the columns of the components (in memory).
`service.jobs.train.handler` runs in a process of its own, which is ended when it has more than the memory of
the function. With `--python`, that process is the Python of the functions, as `make compat` sets it up
(`.compat/venv/bin/python`), and numpy and pyarrow are exactly the files of the numeric layer.
`--rows 25000 --evaluation 5000 --sensors 40` is a quick check.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks.wide import BLOCK, START, STEP, wide_rows
from engine import Frame, fit
from engine.ingest.parquet import TIMESTAMP
from l4e_layer import Machine, layer_file
from service.jobs.storage.keys import IngestionKeys
from service.members.schema import ComponentSchema, Schema
from service.storage.names import (
    INGESTION_JOB,
    MODEL,
    ArnBuilder,
    artefact_key,
    document_key,
    new_job_id,
    new_uuid,
    version_key,
    versions_of,
)
from service.storage.service_bucket import ServiceBucket
from service.storage.store import Item, Store
from tests.embedded import ACCOUNT, CREDENTIALS, REGION, EmbeddedAws, embedded_aws

TABLE, BUCKET, CUSTOMER = "l4e", "service", "customer"
ARNS = ArnBuilder(partition="aws", region=REGION, account=ACCOUNT)
MINUTES = 15
COUNTED = 1e9
"""What float32 would round by more than the sensor moves."""
PRIOR_ROWS = 30_000
MISSING = 0.001
"""Share of cells without a value."""
FAULT_ROWS, FAULT_EVERY = 300, 10_000
"""Faults last so many rows, and begin so far apart."""
_CHILD = """
import json, sys
import numpy, pyarrow
from engine import blas_name
print(f"Python {sys.version.split()[0]}, numpy {numpy.__version__} in {numpy.__path__[0]}, {blas_name()}")
from service.jobs.train import handler
print(json.dumps(handler(json.loads(sys.argv[1]), None)))
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What to train on."""

    rows: int
    evaluation: int
    sensors: int
    components: int
    drift: bool
    labels: bool
    diagnostics: bool
    retrain: bool
    counter: bool

    @property
    def faults(self) -> list[tuple[int, int]]:
        """First and last row of each fault: in the evaluation, and in the training where it is labelled."""
        first = FAULT_EVERY // 4 + (0 if self.labels else self.rows)
        starts = range(first, self.rows + self.evaluation - FAULT_ROWS, FAULT_EVERY)
        return [(start, start + FAULT_ROWS - 1) for start in starts]

    def members(self) -> dict[str, range]:
        """The sensors of each component."""
        each = -(-self.sensors // self.components)
        starts = range(0, self.sensors, each)
        return {
            f"c{at:02d}": range(start, min(start + each, self.sensors)) for at, start in enumerate(starts)
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """How a training went: time and peak memory of its process, from its start to its end.

    `cpu_seconds` is the work of all threads: under load it says more than the wall time.
    """

    rows: int
    evaluation: int
    sensors: int
    status: str
    seconds: float
    cpu_seconds: float
    peak_mib: float
    columns_mib: float
    model_mib: float
    alarms: int
    libraries: str
    reason: str


def train_once(load: Load, *, memory: int, python: Path | None, folder: Path) -> Run:
    """Build the data, run the job, and read its result."""
    with embedded_aws(folder) as aws:
        aws.create_table(TABLE)
        aws.create_bucket(BUCKET)
        aws.create_bucket(CUSTOMER)
        aws.client("iam").create_role(
            RoleName="data",
            Path="/lookoutequipment/",
            AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []}),
        )
        bucket = ServiceBucket(s3=aws.client("s3"), name=BUCKET)
        keys = IngestionKeys(dataset=new_uuid(), job=new_job_id(datetime.now(UTC)))
        size = sum(
            _component(bucket, keys.component(name), load, columns, folder)
            for name, columns in load.members().items()
        )
        model = _records(aws, load, keys)
        if load.retrain:
            bucket.put(artefact_key(model["uuid"], 1), _prior(load))
        event = {"Step": "train", "ModelName": model["ModelName"], "ModelVersion": _version(load)}
        seconds, cpu, peak, output = _measured(
            event, endpoint=aws.endpoint, memory=memory, python=python, folder=folder
        )
        store, record = Store(aws.client("dynamodb"), TABLE), version_key(_version(load))
        ended = store.get(versions_of(model["uuid"]), record) or {}
        alarms = 0
        if "metricsKey" in ended:
            metrics = json.loads(bucket.get_text(ended["metricsKey"]))
            alarms = len(metrics["predicted_ranges"])
        trained = ended.get("Status") == "SUCCESS"
        return Run(
            rows=load.rows,
            evaluation=load.evaluation,
            sensors=load.sensors,
            status=str(ended.get("Status")),
            seconds=seconds,
            cpu_seconds=cpu,
            peak_mib=peak,
            columns_mib=size / 2**20,
            model_mib=(bucket.size(artefact_key(model["uuid"], _version(load))) or 0) / 2**20,
            alarms=alarms,
            libraries=output.partition("\n")[0],
            reason="" if trained else output[-2000:],
        )


def _component(bucket: ServiceBucket, key: str, load: Load, columns: range, folder: Path) -> int:
    """Write the columns of a component as ingestion does, and return their bytes."""
    rows = load.rows + load.evaluation
    names = [f"s{column:03d}" for column in columns]
    schema = pa.schema([(TIMESTAMP, pa.timestamp("us")), *((name, pa.float64()) for name in names)])
    faults = np.zeros(rows, bool)
    for first, last in load.faults:
        faults[first : last + 1] = True
    rng, start = np.random.default_rng([3, columns.start]), 0
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        options: dict[str, Any] = {"use_dictionary": False, "write_statistics": [TIMESTAMP]}
        with pq.ParquetWriter(file, schema, compression="snappy", **options) as writer:
            pending: list[pa.RecordBatch] = []
            for block in wide_rows(rows, columns, drift=load.drift):
                values = block.astype(np.float64)
                values[faults[start : start + len(block)], 0] += 3.0
                if load.counter and load.sensors - 1 in columns:
                    values[:, -1] += COUNTED
                values[rng.random(values.shape, np.float32) < MISSING] = np.nan
                times = START + np.arange(start, start + len(block)) * STEP
                arrays = [pa.array(times), *(pa.array(each, from_pandas=True) for each in values.T)]
                pending.append(pa.RecordBatch.from_arrays(arrays, schema=schema))
                start += len(block)
                if len(pending) == 100 or start == rows:
                    writer.write_table(pa.Table.from_batches(pending))
                    pending = []
        file.flush()
        bucket.s3.upload_file(file.name, bucket.name, key)
        return Path(file.name).stat().st_size


def _records(aws: EmbeddedAws, load: Load, keys: IngestionKeys) -> Item:
    """Put the records of a dataset that is ingested and a model that is to be trained; return the model."""
    store, s3 = Store(aws.client("dynamodb"), TABLE), aws.client("s3")
    unique, name = new_uuid(), "largest"
    key = document_key(unique, "schema.json")
    components = tuple(
        ComponentSchema(
            name=component, timestamp="Timestamp", sensors=tuple(f"s{column:03d}" for column in columns)
        )
        for component, columns in load.members().items()
    )
    ServiceBucket(s3=s3, name=BUCKET).put_text(key, Schema(components=components).to_json())
    lines = [f"{START + first * STEP},{START + last * STEP}\n" for first, last in load.faults]
    s3.put_object(Bucket=CUSTOMER, Key="labels/faults.csv", Body="".join(lines).encode())
    arn, now = ARNS.model_arn(name, unique), datetime.now(UTC)
    evaluation = _epoch(load.rows) - 1
    common: dict[str, Any] = {
        "ModelName": name,
        "ModelArn": arn,
        "DatasetName": "wide",
        "DatasetArn": ARNS.dataset_arn("wide", keys.dataset),
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/lookoutequipment/data",
        "schemaKey": key,
        "datasetUuid": keys.dataset,
        "ingestionJobId": keys.job,
        "Status": "IN_PROGRESS",
        "CreatedAt": now,
        "TrainingDataStartTime": _epoch(0),
        "TrainingDataEndTime": evaluation,
        "EvaluationDataStartTime": evaluation,
        "EvaluationDataEndTime": _epoch(load.rows + load.evaluation),
        "DataPreProcessingConfiguration": {"TargetSamplingRate": "PT1M"},
    }
    if load.labels:
        source = {"Bucket": CUSTOMER, "Prefix": "labels/"}
        common["LabelsInputConfiguration"] = {"S3InputConfiguration": source}
    if load.diagnostics:
        target = {"Bucket": CUSTOMER, "Prefix": "diagnostics/"}
        common["ModelDiagnosticsOutputConfiguration"] = {"S3OutputConfiguration": target}
    model = {"pk": MODEL, "sk": name, "uuid": unique, **common}
    store.create(
        {
            "pk": INGESTION_JOB,
            "sk": keys.job,
            "JobId": keys.job,
            "DatasetName": "wide",
            "datasetUuid": keys.dataset,
            "Status": "SUCCESS",
            "DataStartTime": _epoch(0),
            "DataEndTime": _epoch(load.rows + load.evaluation - 1),
        },
        model,
        {
            "pk": versions_of(unique),
            "sk": version_key(_version(load)),
            "uuid": unique,
            "ModelVersion": _version(load),
            **({"priorModelVersion": 1} if load.retrain else {}),
            **common,
        },
    )
    return model


def _version(load: Load) -> int:
    """The version to train; a retraining replaces version 1."""
    return 2 if load.retrain else 1


def _prior(load: Load) -> bytes:
    """A detector of the first rows, for a retraining to replace."""
    rows, blocks, names = load.rows + load.evaluation, [], []
    for component, columns in load.members().items():
        parts = islice(wide_rows(rows, columns, drift=load.drift), PRIOR_ROWS // BLOCK)
        blocks.append(np.concatenate(list(parts)))
        names += [f"{component}\\s{column:03d}" for column in columns]
    values = np.concatenate(blocks, axis=1)
    frame = Frame(
        times=START + np.arange(len(values)) * STEP,
        values=values,
        sensors=tuple(names),
        off=np.zeros(len(values), bool),
        step=STEP,
    )
    return fit(frame).to_bytes()


def _epoch(row: int) -> float:
    """Epoch seconds of a row."""
    return float((START + row * STEP).astype(np.int64)) / 1e6


def _measured(
    event: Mapping[str, Any], *, endpoint: str, memory: int, python: Path | None, folder: Path
) -> tuple[float, float, float, str]:
    """Run the handler in a process that is held to the memory and the time of a function.

    Returns its seconds by the clock and of work, its peak in MiB, and what it wrote.
    """
    variables = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "L4E_"))},
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(memory),
        "L4E_ACCOUNT": ACCOUNT,
        "L4E_TABLE": TABLE,
        "L4E_BUCKET": BUCKET,
        "L4E_METRIC_NAMESPACE": "LookoutEquipment",
        "TMPDIR": str(folder),
    }
    if python is not None:
        variables["PYTHONPATH"] = os.pathsep.join((_layer(folder), "lambdas", "."))
    log = folder / "job.log"
    begin = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter and script
            [str(python or sys.executable), "-c", _CHILD, json.dumps(event)],
            env=variables,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        cpu = peak = 0.0
        while process.poll() is None:
            cpu, peak = max(cpu, _cpu(process.pid)), max(peak, _peak_mib(process.pid))
            if peak > memory or time.monotonic() - begin > MINUTES * 60:
                process.kill()
            time.sleep(0.05)
    return time.monotonic() - begin, cpu, peak, log.read_text()


def _layer(folder: Path) -> str:
    """Unpack the numeric layer for this machine, and return the folder with its packages."""
    with zipfile.ZipFile(layer_file(Machine(platform.machine()))) as archive:
        archive.extractall(folder / "layer")
    return str(folder / "layer" / "python")


def _peak_mib(process: int) -> float:
    """The most memory a process has had of its own."""
    lines = _proc(process, "status").splitlines()
    return max((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM:")), default=0.0)


def _cpu(process: int) -> float:
    """The seconds that all threads of a process have worked."""
    fields = _proc(process, "stat").rpartition(")")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def _proc(process: int, name: str) -> str:
    """A file about a process; nothing when it is over."""
    try:
        return Path(f"/proc/{process}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def main() -> None:
    """Run the job once and print how it went."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=1_500_000, help="training rows (1,500,000)")
    parser.add_argument("--evaluation", type=int, default=300_000, help="evaluation rows (300,000)")
    parser.add_argument("--sensors", type=int, default=300)
    parser.add_argument("--components", type=int, default=10)
    parser.add_argument("--drift", action="store_true", help="every sensor drifts")
    parser.add_argument("--labels", action="store_true", help="labelled faults, in the training as well")
    parser.add_argument("--diagnostics", action="store_true", help="write the pointwise diagnostics")
    parser.add_argument("--retrain", action="store_true", help="replace a version trained on the first rows")
    parser.add_argument("--counter", action="store_true", help="the last sensor needs float64")
    parser.add_argument("--memory", type=int, default=10_240, help="MiB that the process may take (10,240)")
    parser.add_argument(
        "--python", type=Path, metavar="FILE", help="train with this Python 3.14 and the layer's files"
    )
    parser.add_argument("--json", type=Path, help="write the figures to this file")
    options = vars(parser.parse_args())
    target, memory, python = (options.pop(name) for name in ("json", "memory", "python"))
    with tempfile.TemporaryDirectory() as folder:
        run = train_once(Load(**options), memory=memory, python=python, folder=Path(folder))
    for name, value in asdict(run).items():
        print(f"{name:12} {value:,.1f}" if isinstance(value, float) else f"{name:12} {value}")
    if target:
        target.write_text(json.dumps(asdict(run), indent=1) + "\n")
    sys.exit(run.status != "SUCCESS")


if __name__ == "__main__":
    main()
