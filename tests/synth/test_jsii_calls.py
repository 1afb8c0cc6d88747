"""What an asset costs in messages to Node, which is most of the time of a synthesis."""

import subprocess
import sys
from collections import Counter
from pathlib import Path

import aws_cdk as cdk
import jsii
import pytest
from canonical import TRAINING, app, imported_service
from hypothesis import given
from hypothesis import strategies as st

from benchmarks.jsii_calls import counted
from constructs_l4e import AssetStorage, DatasetSchema, IEquipmentService, MonitoredAsset, _props

MOST_FOR_FIRST_OF_STACK = 40
MOST_FOR_EACH_FURTHER = 32
MOST_FOR_DASHBOARD = 28
MOST_AT_SYNTH = 2
"""What may use the role; and to acknowledge wildcards in its rights, as the bucket is of another stack."""
MOST_AT_SYNTH_OF_STACK = 2
"""Besides those of its assets: Node asks what is left to do, and tells wildcards."""

ROOT = Path(__file__).parents[2]

Plant = tuple[cdk.App, IEquipmentService, AssetStorage]


@pytest.fixture
def plant(tmp_path: Path) -> Plant:
    """An app with service and data, and one asset: what is asked once in an app has been asked."""
    of = cdk.App(analytics_reporting=False, outdir=str(tmp_path))
    platform = cdk.Stack(of, "Platform")
    made = of, imported_service(platform), AssetStorage(platform, "Data")
    add_asset(made, cdk.Stack(of, "Before"), "Pump")
    return made


def add_asset(
    plant: Plant, stack: cdk.Stack, name: str, *, sensors: int = 30, dashboard: bool = False
) -> Counter[str]:
    """Make an asset, and return the messages that took."""
    _, service, storage = plant
    with counted() as calls:
        MonitoredAsset(
            stack,
            name,
            service=service,
            locations=storage.for_asset(name),
            schema=DatasetSchema.from_sensors({"pump": [f"sensor{number}" for number in range(sensors)]}),
            training=TRAINING,
            dashboard=dashboard,
        )
    return calls


def test_assets_of_a_stack_cost_few_messages(plant: Plant) -> None:
    stack = cdk.Stack(plant[0], "Plant")
    first, *further = (add_asset(plant, stack, f"Pump{number}").total() for number in range(4))

    assert first <= MOST_FOR_FIRST_OF_STACK
    assert max(further) <= MOST_FOR_EACH_FURTHER


def test_a_dashboard_costs_few_messages(plant: Plant) -> None:
    """Each metric is made once, though it is a sum and a line of a graph."""
    stack = cdk.Stack(plant[0], "Plant")
    add_asset(plant, stack, "Pump")
    without, with_it = (
        add_asset(plant, stack, f"Pump{dashboard}", dashboard=dashboard).total()
        for dashboard in (False, True)
    )

    assert with_it - without <= MOST_FOR_DASHBOARD


def test_import_asks_nothing() -> None:
    """Besides loading the modules of the CDK, which importing `aws_cdk` does."""
    source = "with counted() as calls:\n    import constructs_l4e\nprint(*calls)"
    done = subprocess.run(
        [sys.executable, "-c", f"from benchmarks.jsii_calls import counted\n{source}"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split() == ["Load"]


def test_sensors_cost_no_messages(plant: Plant) -> None:
    stack = cdk.Stack(plant[0], "Plant")
    add_asset(plant, stack, "Pump")
    few, many = (add_asset(plant, stack, f"Pump{sensors}", sensors=sensors).total() for sensors in (1, 60))

    assert few == many


@pytest.mark.parametrize(("stacks", "assets"), [(1, 1), (1, 5), (3, 2)])
def test_synthesis_costs_few_messages(plant: Plant, stacks: int, assets: int) -> None:
    for number in range(stacks):
        stack = cdk.Stack(plant[0], f"Plant{number}")
        for asset in range(assets):
            add_asset(plant, stack, f"Pump{asset}")
    with counted() as calls:
        plant[0].synth()

    every = 1 + stacks * assets  # with the one of the fixture
    assert calls.total() <= 1 + MOST_AT_SYNTH * every + MOST_AT_SYNTH_OF_STACK * (1 + stacks)


@given(
    parts=st.lists(
        st.one_of(
            st.text(max_size=5),
            st.sampled_from(
                ["${Token[", "]}", "AWS.Region.4", "TOKEN.12", "${Token[TOKEN.1]}", "${", "#{Token[TOKEN.1]}"]
            ),
        ),
        max_size=5,
    )
)
def test_a_token_in_a_text_is_seen_as_the_cdk_sees_it(parts: list[str]) -> None:
    text = "".join(parts)
    assert _props.is_token(text) == cdk.Token.is_unresolved(text)


def test_every_kind_of_token_is_seen() -> None:
    stack = cdk.Stack(app(), "Test")
    bucket = cdk.aws_s3.Bucket(stack, "Bucket")
    for token in (
        stack.region,
        bucket.bucket_arn,
        cdk.Lazy.string(_Late()),
        cdk.Fn.join("", [stack.account]),
    ):
        assert _props.is_token(f"a-{token}-b")
    assert not _props.is_token("arn:aws:s3:::sensor-data")


@jsii.implements(cdk.IStableStringProducer)
class _Late:
    def produce(self) -> str:
        return "late"
