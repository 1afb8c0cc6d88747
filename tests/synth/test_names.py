"""Generated physical names: they say what a resource is, not where it comes from or goes to."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_kms as kms
from canonical import LARGE, PUMP, app, imported_service, locations, template, warnings
from constructs import Construct
from deployed import SNAPSHOTS
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_l4e import Dataset, DatasetSchema, EquipmentService, MonitoredAsset, _names, _service_model
from constructs_l4e._memory import ids_below

JAVASCRIPT = {
    *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
    *("toLocaleString", "toString", "valueOf", "__proto__"),
    *("__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__"),
}
"""What every object of JavaScript has: the node of a construct takes them for children, and jsii breaks."""

IDS = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="/"), min_size=1, max_size=80).filter(
        lambda id: id not in JAVASCRIPT
    ),
    max_size=6,
)
ARN = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EU = cdk.Environment(region="eu-west-1")
EU_ACCOUNT = cdk.Environment(region="eu-west-1", account="111122223333")
US_ACCOUNT = cdk.Environment(region="us-east-1", account="444455556666")


@pytest.fixture(scope="module")
def root() -> cdk.App:
    return app()


def named(scope: Construct, fixed: Mapping[str, object], *, shape: str = "ModelName") -> str:
    return _names.generated(scope, shape=shape, fixed=fixed, meaning={})


@settings(max_examples=25)
@given(ids=IDS, number=st.integers(0, 10**9))
def test_a_name_is_legal_whatever_the_path(root: cdk.App, ids: list[str], number: int) -> None:
    stage = root.node.try_find_child(f"S{number}")
    scope: Construct = stage if isinstance(stage, cdk.Stack) else cdk.Stack(root, f"S{number}")
    for each in ids:
        found = scope.node.try_find_child(each)
        scope = found if isinstance(found, Construct) else Construct(scope, each)

    name = named(scope, {"a": 1}, shape="InferenceSchedulerName")
    assert _service_model.string_rule("InferenceSchedulerName").problem(name) is None
    assert name == named(scope, {"a": 1}, shape="InferenceSchedulerName")


@settings(max_examples=25)
@given(
    ids=st.lists(
        IDS.map("".join).filter(bool)
        | st.sampled_from(["Default", "Resource", "Pump", "ump", "a/b", "Pump_1-", "ü", "?"]),
        max_size=5,
    ),
    longest=st.integers(25, 300),
    nested=st.booleans(),
    number=st.integers(0, 10**9),
)
def test_a_path_is_named_as_the_cdk_names_it(
    root: cdk.App, *, ids: list[str], longest: int, nested: bool, number: int
) -> None:
    stage = cdk.Stage(root, f"Stage{number}-{len(root.node.children)}")
    scope: Construct = cdk.Stack(stage, "Plant")
    for each in ids if not {*ids} & JAVASCRIPT else ["Pump"]:
        scope = cdk.NestedStack(scope, each) if nested and each == "Pump" else Construct(scope, each)
    expected = cdk.Names.unique_resource_name(
        scope, max_length=longest, separator="-", allowed_special_characters="_-"
    )
    assert _names.of_path(scope, longest) == expected


def test_where_a_construct_is_needs_no_question(root: cdk.App) -> None:
    stack = cdk.Stack(cdk.Stage(root, "Paths"), "Plant")
    of_user = Dataset(Construct(stack, "Hall/2"), "Pump/1", service=imported_service(stack))
    of_stack = Dataset(stack, "Pump/1", service=of_user.service)

    for made, ids in ((of_user, ["Hall--2", "Pump--1"]), (of_stack, ["Pump--1"])):
        assert ids_below(made, stack) == ids
        assert made.node.path == "/".join(("Paths/Plant", *ids))


def test_order_of_properties_does_not_matter_but_values_do(root: cdk.App) -> None:
    scope = cdk.Stack(root, "Order")

    def name(**fixed: object) -> str:
        return named(scope, fixed)

    assert name(a=1, b=[2]) == name(b=[2], a=1)
    assert len({name(a=1), name(a=2), name(b=1), name(a=None), name(a=scope.account)}) == 5


def test_two_stacks_of_an_app_have_names_of_their_own(root: cdk.App) -> None:
    names = {named(Construct(cdk.Stack(root, stack), "Model"), {}) for stack in ("Pump1", "Pump2")}

    assert len(names) == 2


def test_a_reference_is_known_by_what_it_refers_to(root: cdk.App) -> None:
    """A logical id would not do: the same one stands for other things in other stacks."""
    one, other = cdk.Stack(root, "Parameters1"), cdk.Stack(root, "Parameters2")
    mine, its = (cdk.CfnParameter(each, "Dataset").value_as_string for each in (one, other))

    assert one.resolve(mine) == one.resolve(its)
    assert named(one, {"a": mine}) != named(one, {"a": its})
    assert named(one, {"a": mine}) == named(one, {"a": mine})
    first, second = (cdk.Fn.select(1, cdk.Fn.split("/", each)) for each in (mine, its))
    assert named(one, {"a": f"x-{first}"}) != named(one, {"a": f"x-{second}"})


def asset_names(env: cdk.Environment | None, synthesizer: Any, schema: DatasetSchema = PUMP) -> list[str]:
    scope = cdk.Stack(app(), "Plant", env=env, synthesizer=synthesizer)
    service = EquipmentService.from_equipment_service_attributes(
        scope,
        "Service",
        api_id="abcde12345",
        api_stage="api",
        # Of the account and the Region of the stack, whichever these are.
        data_access_role_arn=scope.format_arn(service="iam", region="", resource="role/jobs"),
        provider_service_token=scope.format_arn(service="lambda", resource="function:provider"),
        provider_role_arn=scope.format_arn(service="iam", region="", resource="role/provider"),
    )
    asset = MonitoredAsset(
        scope,
        "Pump",
        service=service,
        locations=locations(scope),
        schema=schema,
        encryption_key=kms.Key(scope, "Key"),
    )
    return [
        asset.dataset.dataset_name,
        asset.model.model_name,
        asset.scheduler.inference_scheduler_name,
    ]


@pytest.mark.parametrize("schema", [PUMP, LARGE], ids=["inline", "staged"])
@pytest.mark.parametrize(
    ("env", "qualifier"),
    [(EU, None), (EU_ACCOUNT, None), (US_ACCOUNT, None), (None, "plant"), (US_ACCOUNT, "plant")],
)
def test_names_are_the_same_wherever_a_stack_goes(
    schema: DatasetSchema, env: cdk.Environment | None, qualifier: str | None
) -> None:
    synthesizer = cdk.DefaultStackSynthesizer(qualifier=qualifier) if qualifier else None

    assert asset_names(env, synthesizer, schema) == asset_names(None, None, schema)


def test_a_stack_without_bootstrap_has_the_same_names() -> None:
    assert asset_names(None, cdk.BootstraplessSynthesizer()) == asset_names(None, None)


def test_a_stack_without_bootstrap_synthesises() -> None:
    of = app()
    scope = cdk.Stack(of, "Plant", synthesizer=cdk.BootstraplessSynthesizer())
    MonitoredAsset(scope, "Pump", service=imported_service(scope), locations=locations(scope), schema=PUMP)

    assert of.synth().get_stack_by_name("Plant").assets == []


def test_names_are_the_same_whoever_synthesises(tmp_path: Path) -> None:
    """Another folder, other rights of files, another hash seed."""
    source = Path(__file__)
    program = (
        "import os, sys; os.umask(int(sys.argv[1], 8))\n"
        "from canonical import LARGE\n"
        "from test_names import asset_names\n"
        "print(asset_names(None, None), asset_names(None, None, LARGE))"
    )
    run = subprocess.run(
        [sys.executable, "-c", program, "077"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PYTHONHASHSEED": "2",  # that of this process is random
            "PYTHONPATH": os.pathsep.join(map(str, (source.parents[2], source.parent))),
        },
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )

    assert run.stdout == f"{asset_names(None, None)} {asset_names(None, None, LARGE)}\n"


class TestKeys:
    """The same key gives the same name however it is reached, and another key another."""

    @staticmethod
    def hashed(scope: cdk.Stack, key: kms.IKey | None) -> str:
        return _names.generated(
            scope,
            shape="DatasetName",
            fixed={"ServerSideKmsKeyId": key and key.key_arn},
            meaning={"ServerSideKmsKeyId": _names.of_key(key)},
        )

    def test_a_key_of_another_stack_with_the_same_logical_id_is_another(self) -> None:
        of = app()
        mine, platform = cdk.Stack(of, "Mine"), cdk.Stack(of, "Platform")
        own, shared = kms.Key(mine, "K"), kms.Key(platform, "K")

        assert mine.resolve(own.key_arn) == mine.resolve(shared.key_arn)
        assert self.hashed(mine, own) != self.hashed(mine, shared)

    def test_a_construct_and_its_import_are_one_key(self) -> None:
        of = app()
        scope, platform = cdk.Stack(of, "Mine"), cdk.Stack(of, "Platform")
        key = kms.Key(platform, "K")
        imported = kms.Key.from_key_arn(scope, "Imported", key.key_arn)

        assert self.hashed(scope, key) == self.hashed(scope, imported)

    def test_an_arn_is_one_key_in_every_environment(self) -> None:
        names = set()
        for env in (None, EU, EU_ACCOUNT, US_ACCOUNT):
            scope = cdk.Stack(app(), "Mine", env=env)
            names.add(self.hashed(scope, kms.Key.from_key_arn(scope, "Key", ARN)))
            names.add(self.hashed(scope, kms.Key.from_key_arn(scope, "Again", ARN)))
        assert len(names) == 1

    def test_an_alias_is_one_key_in_every_environment(self) -> None:
        names = set()
        for env in (None, EU, US_ACCOUNT):
            scope = cdk.Stack(app(), "Mine", env=env)
            names.add(self.hashed(scope, kms.Alias.from_alias_name(scope, "Key", "alias/plant")))
        assert len(names) == 1

    def test_keys_differ(self) -> None:
        scope = cdk.Stack(app(), "Mine")
        keys = [
            None,
            kms.Key(scope, "One"),
            kms.Key(scope, "Two"),
            kms.Key.from_key_arn(scope, "Three", ARN),
            kms.Key.from_key_arn(scope, "Four", ARN.replace("1234abcd", "0234abcd")),
            kms.Alias.from_alias_name(scope, "Five", "alias/plant"),
        ]
        assert len({self.hashed(scope, key) for key in keys}) == len(keys)


class TestEarlierNames:
    """A context value keeps the names that earlier releases gave."""

    @staticmethod
    def dataset(context: object, **how: Any) -> tuple[str, dict[str, Any]]:
        of = cdk.App(analytics_reporting=False, context={_names.BY_LOCATION: context})
        scope = cdk.Stack(of, "Plant", **how)
        made = Dataset(scope, "Data", service=imported_service(scope), schema=PUMP)
        [content] = [
            each["Properties"]
            for each in template(scope)["Resources"].values()
            if each["Type"] == "Custom::LookoutEquipmentDataset"
        ]
        return made.dataset_name, content

    def test_names_and_properties_are_those_of_before(self) -> None:
        name, content = self.dataset(context=True, env=EU)

        # Both were read off the template that the release before made.
        assert name == "Plant-Data-ACAEA1F0-bcc1f2ed"
        assert content["Schema"] == {
            "Bucket": {"Fn::Sub": "cdk-hnb659fds-assets-${AWS::AccountId}-eu-west-1"},
            "Key": "92837bea91ceb46968886f8f399c34b03aaaa33b349f838b763749370b6f5ff9.json",
        }
        assert content["PropertiesVersion"] == "1"

    @pytest.mark.parametrize("context", [True, "true"])
    def test_true_keeps(self, context: object) -> None:
        assert self.dataset(context) == self.dataset(context=True)
        assert self.dataset(context)[0] != self.dataset(context=False)[0]

    def test_one_stack_of_an_app_may_keep_its_own(self) -> None:
        scope = cdk.Stack(app(), "Plant", env=EU)
        scope.node.set_context(_names.BY_LOCATION, True)  # noqa: FBT003 - the value, not a flag
        made = Dataset(scope, "Data", service=imported_service(scope), schema=PUMP)

        assert made.dataset_name == self.dataset(context=True, env=EU)[0]

    def test_anything_else_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r'"constructs-l4e:namesByLocation" is "yes": use true or false'):
            self.dataset("yes")


class TestFixedNames:
    """A fixed name on top of a generated one is refused in every deployment that replaces the latter."""

    @staticmethod
    def warnings(*, dataset: str | None, model: str | None, scheduler: str | None) -> list[str]:
        scope = cdk.Stack(app(), "Plant")
        place = locations(scope)
        data = Dataset(scope, "Data", service=imported_service(scope), schema=PUMP, dataset_name=dataset)
        data.add_model("Model", model_name=model).add_scheduler(
            "Scheduler",
            inference_scheduler_name=scheduler,
            data_upload_frequency="PT5M",
            data_input=place.inference_input,
            data_output=place.inference_output,
        )
        return [each.partition(" is fixed")[0] for each in warnings(scope)]

    @pytest.mark.parametrize(
        ("dataset", "model", "scheduler", "warned"),
        [
            (None, None, None, []),
            ("data", None, None, []),
            ("data", "model", None, []),
            ("data", "model", "scheduler", []),
            ("data-20260131", "model-20260131", "scheduler", []),
            (None, "model", None, ['model_name "model"']),
            (None, None, "scheduler", ['inference_scheduler_name "scheduler"']),
            ("data", None, "scheduler", ['inference_scheduler_name "scheduler"']),
        ],
    )
    def test_it_is_warned_of(
        self, dataset: str | None, model: str | None, scheduler: str | None, warned: list[str]
    ) -> None:
        assert self.warnings(dataset=dataset, model=model, scheduler=scheduler) == warned


GOLDEN = Path(__file__).with_name("golden_names.json")
KEPT = (
    "AWS::ApiGateway::RestApi",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::S3::Bucket",
    *(
        f"Custom::LookoutEquipment{kind}"
        for kind in (
            "Dataset",
            "DatasetPolicy",
            "InferenceScheduler",
            "LabelGroup",
            "Model",
            "ModelPolicy",
            "RetrainingScheduler",
        )
    ),
)
"""Types of which another logical id or name would lose data, an address, or a trained model."""


@pytest.mark.parametrize("name", json.loads(GOLDEN.read_text(encoding="utf-8")))
def test_golden_names_and_logical_ids(name: str) -> None:
    """A change here replaces what users have deployed. No option of pytest writes this file anew."""
    golden = json.loads(GOLDEN.read_text(encoding="utf-8"))

    assert identities(name) == golden[name]


def test_every_canonical_app_is_golden() -> None:
    assert {*json.loads(GOLDEN.read_text(encoding="utf-8"))} == {*APPS, *SNAPSHOTS}


APPS: Mapping[str, tuple[DatasetSchema, Mapping[str, Any]]] = {
    "inline": (PUMP, {}),
    "staged": (LARGE, {}),
    "earlier-release": (PUMP, {_names.BY_LOCATION: True}),
}


def identities(name: str) -> dict[str, str]:
    """Physical name, or type where CloudFormation names it, by logical id."""
    content = golden_asset(*APPS[name]) if name in APPS else SNAPSHOTS[name]
    return {
        logical: next(
            (
                resource["Properties"][member]
                for member in ("InferenceSchedulerName", "LabelGroupName", "ModelName", "DatasetName")
                if member in resource.get("Properties", {})
            ),
            resource["Type"],
        )
        for logical, resource in content["Resources"].items()
        if resource["Type"] in KEPT
    }


def golden_asset(schema: DatasetSchema, context: Mapping[str, Any]) -> Mapping[str, Any]:
    scope = cdk.Stack(cdk.App(analytics_reporting=False, context=context), "Plant", env=EU)
    MonitoredAsset(
        scope,
        "Pump",
        service=imported_service(scope),
        locations=locations(scope),
        schema=schema,
        encryption_key=kms.Key.from_key_arn(scope, "Key", ARN),
    )
    return template(scope)
