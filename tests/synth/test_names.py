"""Generated physical names."""

import aws_cdk as cdk
import pytest
from canonical import app
from constructs import Construct
from hypothesis import given, settings
from hypothesis import strategies as st

from constructs_l4e import _names, _service_model

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


@pytest.fixture(scope="module")
def root() -> cdk.App:
    return app()


@settings(max_examples=25)
@given(ids=IDS, number=st.integers(0, 10**9))
def test_a_name_is_legal_whatever_the_path(root: cdk.App, ids: list[str], number: int) -> None:
    stage = root.node.try_find_child(f"S{number}")
    scope: Construct = stage if isinstance(stage, cdk.Stack) else cdk.Stack(root, f"S{number}")
    for each in ids:
        found = scope.node.try_find_child(each)
        scope = found if isinstance(found, Construct) else Construct(scope, each)

    name = _names.generated(scope, shape="InferenceSchedulerName", replace_on={"a": 1})
    assert _service_model.string_rule("InferenceSchedulerName").problem(name) is None
    assert name == _names.generated(scope, shape="InferenceSchedulerName", replace_on={"a": 1})


def test_order_of_properties_does_not_matter_but_values_do(root: cdk.App) -> None:
    scope = cdk.Stack(root, "Order")

    def name(**replace_on: object) -> str:
        return _names.generated(scope, shape="ModelName", replace_on=replace_on)

    assert name(a=1, b=[2]) == name(b=[2], a=1)
    assert len({name(a=1), name(a=2), name(b=1), name(a=None), name(a=scope.account)}) == 5


def test_two_stacks_of_an_app_have_names_of_their_own(root: cdk.App) -> None:
    names = {
        _names.generated(Construct(cdk.Stack(root, stack), "Model"), shape="ModelName", replace_on={})
        for stack in ("Pump1", "Pump2")
    }

    assert len(names) == 2
