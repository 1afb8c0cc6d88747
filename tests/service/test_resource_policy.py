"""What resource policies say, and what they may not say, case by case."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.errors import ValidationError
from service.sharing.resource_policy import (
    IMPORT_DATASET,
    IMPORT_MODEL_VERSION,
    Import,
    Policy,
    Principal,
    is_allowed,
    parse_policy,
)

OWNER, FRIEND, STRANGER = "111111111111", "222222222222", "333333333333"
UUID = "1b4e28ba-2fa1-41d2-883f-0016d3cca427"
DATASET = f"arn:aws:lookoutequipment:eu-west-1:{OWNER}:dataset/pump/{UUID}"
MODEL = f"arn:aws:lookoutequipment:eu-west-1:{OWNER}:model/wear/{UUID}"
VERSION = f"{MODEL}/model-version/2"
ROLE = f"arn:aws:iam::{FRIEND}:role/team/Importer"
USER = f"arn:aws:iam::{FRIEND}:user/ann"
SESSION = f"arn:aws:sts::{FRIEND}:assumed-role/Importer"
ADMIN = f"arn:aws:sts::{FRIEND}:assumed-role/Admin"

Document = dict[str, Any]


def statement(**changes: Any) -> Document:
    base = {"Effect": "Allow", "Principal": {"AWS": FRIEND}, "Action": IMPORT_DATASET}
    return {name: value for name, value in (base | changes).items() if value is not None}


def of_model(**changes: Any) -> Document:
    return statement(Action=IMPORT_MODEL_VERSION, **changes)


def policy(*statements: Document, resource: str = DATASET) -> Policy:
    text = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    return parse_policy(text, resource=resource)


def wanted(caller: str = SESSION, *, resource: str = DATASET, data: bool = False) -> Import:
    action = IMPORT_DATASET if resource == DATASET else IMPORT_MODEL_VERSION
    return Import(action=action, resource=resource, principal=Principal.of(caller), importing_data=data)


def data_is(value: Any) -> Document:
    return {"Bool": {"lookoutequipment:IsImportingData": value}}


ANYBODY_ELSE = f"arn:aws:iam::{STRANGER}:user/ann"

PRINCIPALS = [
    (FRIEND, SESSION, True),
    (FRIEND, USER, True),
    (FRIEND, f"arn:aws:iam::{FRIEND}:root", True),
    (FRIEND, ANYBODY_ELSE, False),
    (f"arn:aws:iam::{FRIEND}:root", ADMIN, True),
    (f"arn:aws:iam::{FRIEND}:root", ANYBODY_ELSE, False),
    ("*", ANYBODY_ELSE, True),
    (ROLE, SESSION, True),  # a session does not tell the path of its role, and a role has one path
    (ROLE, f"arn:aws:iam::{FRIEND}:role/Importer", True),
    (ROLE, ADMIN, False),
    (ROLE, f"arn:aws:iam::{FRIEND}:user/Importer", False),
    (ROLE, f"arn:aws:sts::{STRANGER}:assumed-role/Importer", False),
    (USER, f"arn:aws:iam::{FRIEND}:user/people/ann", True),
    (USER, ANYBODY_ELSE, False),
    ([ROLE, USER], f"arn:aws:iam::{FRIEND}:user/ann", True),
    ([STRANGER, FRIEND], SESSION, True),
    (FRIEND, "", False),
    (FRIEND, "not an ARN", False),
]


@pytest.mark.parametrize(("named", "caller", "allowed"), PRINCIPALS)
def test_who_is_meant(named: Any, caller: str, allowed: Any) -> None:
    granted = policy(statement(Principal={"AWS": named}))
    assert is_allowed([granted], wanted(caller), owner=OWNER) is allowed
    forbidden = policy(statement(Principal="*"), statement(Effect="Deny", Principal={"AWS": named}))
    if caller.startswith("arn:aws"):
        assert is_allowed([forbidden], wanted(caller), owner=OWNER) is not allowed


def test_a_principal_is_of_the_partition_of_the_resource() -> None:
    chinese = DATASET.replace("arn:aws:", "arn:aws-cn:")
    named = statement(Principal={"AWS": f"arn:aws-cn:iam::{FRIEND}:role/Importer"})
    granted = policy(named, resource=chinese)
    caller = Principal.of(f"arn:aws-cn:sts::{FRIEND}:assumed-role/Importer")
    wish = Import(action=IMPORT_DATASET, resource=chinese, principal=caller)
    assert is_allowed([granted], wish, owner=OWNER)
    with pytest.raises(
        ValidationError, match="only principals of this partition can import: name those of 'aws'"
    ):
        policy(named)


def test_everybody_is_a_star_without_an_object() -> None:
    assert is_allowed([policy(statement(Principal="*"))], wanted(ANYBODY_ELSE), owner=OWNER)


RESOURCES = [
    (DATASET, DATASET, True),
    (None, DATASET, True),
    ("*", DATASET, True),
    (DATASET.replace(UUID, "*"), DATASET, True),
    (DATASET.replace("pump", "pum?"), DATASET, True),
    (MODEL, VERSION, True),  # the policy of a model is that of its versions
    (VERSION, VERSION, True),
    (f"{MODEL}/model-version/*", VERSION, True),
    (f"{MODEL}/*", VERSION, True),
    (f"{MODEL}/model-version/1", VERSION, False),
    ([f"{MODEL}/model-version/1", VERSION], VERSION, True),
]


@pytest.mark.parametrize(("named", "resource", "allowed"), RESOURCES)
def test_which_resource_is_meant(named: Any, resource: str, allowed: Any) -> None:
    dataset = resource == DATASET
    made = statement if dataset else of_model
    granted = policy(made(Resource=named), resource=DATASET if dataset else MODEL)
    assert is_allowed([granted], wanted(resource=resource), owner=OWNER) is allowed


CONDITIONS: list[tuple[Document, str, bool, bool]] = [
    (data_is("false"), SESSION, False, True),
    (data_is("false"), SESSION, True, False),
    (data_is([True]), SESSION, True, True),
    (data_is(["true", "false"]), SESSION, True, True),
    ({"StringEquals": {"aws:PrincipalAccount": FRIEND}}, SESSION, False, True),
    ({"StringEquals": {"AWS:principalaccount": [STRANGER, FRIEND]}}, SESSION, False, True),
    ({"StringEquals": {"aws:PrincipalAccount": FRIEND}}, ANYBODY_ELSE, False, False),
    ({"StringNotEquals": {"aws:PrincipalAccount": FRIEND}}, SESSION, False, False),
    ({"StringNotEquals": {"aws:PrincipalAccount": [FRIEND, OWNER]}}, ANYBODY_ELSE, False, True),
    ({**data_is("false"), "StringEquals": {"aws:PrincipalAccount": STRANGER}}, SESSION, False, False),
]


@pytest.mark.parametrize(("condition", "caller", "data", "allowed"), CONDITIONS)
def test_which_conditions_hold(condition: Document, caller: str, data: Any, allowed: Any) -> None:
    granted = policy(of_model(Principal="*", Condition=condition), resource=VERSION)
    assert is_allowed([granted], wanted(caller, resource=VERSION, data=data), owner=OWNER) is allowed


OPEN = policy(of_model(Principal="*"), resource=VERSION)
CLOSED = policy(of_model(Principal={"AWS": STRANGER}), resource=VERSION)
FORBIDDEN = policy(
    of_model(Principal="*"), of_model(Effect="Deny", Principal={"AWS": ROLE}), resource=VERSION
)
OWN = f"arn:aws:sts::{OWNER}:assumed-role/Importer"
OWN_FORBIDDEN = policy(of_model(Effect="Deny", Principal={"AWS": OWNER}), resource=VERSION)

SEVERAL = [
    ([], SESSION, False),
    ([OPEN], SESSION, True),
    ([CLOSED], SESSION, False),
    ([OPEN, OPEN], SESSION, True),
    ([OPEN, CLOSED], SESSION, False),
    ([CLOSED, OPEN], SESSION, False),
    ([FORBIDDEN], SESSION, False),
    ([FORBIDDEN], ADMIN, True),
    ([OPEN, FORBIDDEN], SESSION, False),
    ([], OWN, True),
    ([CLOSED], OWN, True),
    ([OWN_FORBIDDEN], OWN, False),
    ([OPEN, OWN_FORBIDDEN], OWN, False),
]


@pytest.mark.parametrize(("policies", "caller", "allowed"), SEVERAL)
def test_the_stricter_of_several_policies_counts(policies: list[Policy], caller: str, allowed: Any) -> None:
    assert is_allowed(policies, wanted(caller, resource=VERSION), owner=OWNER) is allowed


REFUSED: list[tuple[str, str]] = [
    ("nonsense", "not a JSON document"),
    ("[" * 100_000, "nested too deeply"),
    ("[]", r"the document '\[\]': give an object"),
    ('{"Version": "2012-10-17", "Version": "2012-10-17"}', "member 'Version' twice"),
    ("{}", "Version missing"),
    ('{"Version": "2008-10-17"}', "Version '2008-10-17': write"),
    ('{"Version": "2012-10-17", "Statement": []}', "at least one statement"),
    ('{"Version": "2012-10-17", "Statement": ["x"]}', r"Statement\[0\] 'x': give an object"),
    ('{"Version": "2012-10-17", "Rules": []}', "'Rules': this service judges 'Version', 'Id'"),
]


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_what_is_no_policy_is_refused(text: str, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        parse_policy(text, resource=DATASET)


WRONG: list[tuple[Document, str]] = [
    ({"Sid": 1}, "Sid '1': give a text"),
    ({"Effect": "allow"}, "Effect 'allow': use Allow or Deny"),
    ({"Effect": None}, "Effect missing"),
    ({"Principal": None}, "Principal missing: give"),
    ({"Principal": {}}, "Principal '{}'"),
    ({"Principal": {"AWS": []}}, "with accounts, roles or users"),
    ({"Principal": {"Service": "s3.amazonaws.com"}}, "with accounts, roles or users"),
    ({"Principal": {"AWS": "12"}}, "'12': use an account"),
    ({"Principal": {"AWS": 222222222222}}, "'222222222222': use an account"),
    ({"Principal": {"AWS": f"arn:aws:iam::{FRIEND}:role/*"}}, "without wildcards"),
    ({"Principal": {"AWS": f"{SESSION}/session"}}, "instead of a session name its role"),
    ({"NotPrincipal": {"AWS": FRIEND}}, "'NotPrincipal': this service judges"),
    ({"Action": None}, "Action missing: use lookoutequipment:ImportDataset"),
    ({"Action": "*"}, r"Action '\*': the only action"),
    ({"Action": IMPORT_MODEL_VERSION}, "the only action on .* is lookoutequipment:ImportDataset"),
    ({"Action": [IMPORT_DATASET, "lookoutequipment:DescribeDataset"]}, "DescribeDataset': the only"),
    ({"NotAction": IMPORT_DATASET}, "'NotAction': this service judges"),
    ({"Resource": []}, "or leave Resource out"),
    ({"Resource": MODEL}, "never is the resource of this policy"),
    ({"Resource": f"{DATASET}/model-version/1"}, "never is the resource"),
    ({"Resource": 1}, "never is the resource"),
    ({"NotResource": MODEL}, "'NotResource': this service judges"),
    ({"Condition": []}, "Condition '\\[\\]': give an object"),
    ({"Condition": {"Bool": "x"}}, r"Condition\.Bool 'x': give an object"),
    ({"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, "'aws:PrincipalOrgID': this service"),
    ({"Condition": {"StringLike": {"aws:PrincipalAccount": FRIEND}}}, "StringEquals and StringNotEquals"),
    ({"Condition": {"BoolIfExists": {"lookoutequipment:IsImportingData": "true"}}}, "this key are Bool"),
    ({"Condition": data_is("yes")}, 'give "true" or "false"'),
    ({"Condition": data_is([])}, 'give "true" or "false"'),
    ({"Condition": {"StringEquals": {"aws:PrincipalAccount": "${x}"}}}, "twelve digits"),
]


@pytest.mark.parametrize(("change", "reason"), WRONG)
def test_what_cannot_be_judged_is_refused(change: Document, reason: str) -> None:
    with pytest.raises(ValidationError, match=reason):
        policy(statement(**change))


def test_a_sid_is_given_once() -> None:
    with pytest.raises(ValidationError, match="Sid 'a': give each statement a Sid of its own"):
        policy(statement(Sid="a"), statement(Sid="a", Effect="Deny"))


def test_one_statement_needs_no_list_and_an_id_says_nothing() -> None:
    text = json.dumps({"Version": "2012-10-17", "Id": "sharing", "Statement": statement(Sid="a")})
    assert is_allowed([parse_policy(text, resource=DATASET)], wanted(), owner=OWNER)


def test_actions_are_read_without_case_as_in_iam() -> None:
    granted = policy(statement(Action=IMPORT_DATASET.lower()))
    assert is_allowed([granted], wanted(), owner=OWNER)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["Version", "Statement", "Effect", "Principal", "AWS", "Action", "Condition"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["Principal", "Action", "Resource", "Condition", "Sid", "Effect"]))
def test_whatever_a_statement_says_is_understood_or_refused(value: Any, member: str) -> None:
    try:
        understood = policy(statement(**{member: value}))
    except ValidationError:
        with pytest.raises(ValidationError, match=r"ResourcePolicy: Statement\[0\]"):
            policy(statement(**{member: value}))
    else:
        assert is_allowed([understood], wanted(ANYBODY_ELSE), owner=OWNER) in {True, False}


@given(JSON)
def test_whatever_a_document_says_is_understood_or_refused(value: Any) -> None:
    with pytest.raises(ValidationError, match="ResourcePolicy"):
        parse_policy(json.dumps(value), resource=DATASET)
