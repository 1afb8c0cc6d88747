"""Bugs planted into the rules of resource policies, each found by a table of `test_resource_policy`."""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from service.errors import ValidationError
from service.sharing import resource_policy as rules
from service.sharing.resource_policy import Import, Policy, Principal
from tests.service import test_resource_policy as tables
from tests.service.planted import Bug, Patch, assert_caught

# Every table as one test, whatever the order of its rows.


def _holds(test: Callable[..., None], table: Sequence[Sequence[Any]]) -> None:
    for row in table:
        try:
            test(*row)
        except ValidationError as error:
            pytest.fail(f"a policy that can be judged is refused: {error}")


def principals() -> None:
    _holds(tables.test_who_is_meant, tables.PRINCIPALS)


def resources() -> None:
    _holds(tables.test_which_resource_is_meant, tables.RESOURCES)


def conditions() -> None:
    _holds(tables.test_which_conditions_hold, tables.CONDITIONS)


def several() -> None:
    _holds(tables.test_the_stricter_of_several_policies_counts, tables.SEVERAL)


def refused() -> None:
    _holds(tables.test_what_is_no_policy_is_refused, tables.REFUSED)


def wrong() -> None:
    _holds(tables.test_what_cannot_be_judged_is_refused, tables.WRONG)


# Judging

Judge = Callable[[Sequence[Policy], Import, str], bool]


def _judge(patch: Patch, judge: Judge) -> None:
    patch.setattr(tables, "is_allowed", lambda policies, wanted, *, owner: judge(policies, wanted, owner))


def a_deny_does_not_count(patch: Patch) -> None:
    patch.setattr(Policy, "denies", lambda *_: False)


def an_allow_is_not_needed(patch: Patch) -> None:
    patch.setattr(Policy, "allows", lambda policy, wanted: not policy.denies(wanted))


def one_policy_of_several_is_enough(patch: Patch) -> None:
    _judge(
        patch,
        lambda policies, wanted, owner: (
            wanted.principal.account == owner or any(each.allows(wanted) for each in policies)
        ),
    )


def others_need_no_policy(patch: Patch) -> None:
    _judge(patch, lambda policies, wanted, _: all(each.allows(wanted) for each in policies))


def the_own_account_needs_an_allow(patch: Patch) -> None:
    _judge(
        patch,
        lambda policies, wanted, _: bool(policies) and all(each.allows(wanted) for each in policies),
    )


def a_deny_does_not_bind_the_own_account(patch: Patch) -> None:
    original = rules.is_allowed
    _judge(
        patch,
        lambda policies, wanted, owner: (
            wanted.principal.account == owner or original(policies, wanted, owner=owner)
        ),
    )


def _applies_to(patch: Patch, **changes: Callable[[Any], Any]) -> None:
    """Let statements apply as if some of their attributes were what `changes` makes of them."""
    original = rules._Statement.applies

    def applies(statement: Any, wanted: Import) -> bool:
        changed = {name: change(getattr(statement, name)) for name, change in changes.items()}
        return original(replace(statement, **changed), wanted)

    patch.setattr(rules._Statement, "applies", applies)


def principals_do_not_count(patch: Patch) -> None:
    _applies_to(patch, principals=lambda _: ("*",))


def only_the_first_principal_counts(patch: Patch) -> None:
    _applies_to(patch, principals=lambda named: named[:1])


def resources_do_not_count(patch: Patch) -> None:
    _applies_to(patch, resources=lambda _: (re.compile(".*"),))


def only_the_first_resource_counts(patch: Patch) -> None:
    _applies_to(patch, resources=lambda named: named[:1])


def policies_of_models_do_not_cover_versions(patch: Patch) -> None:
    original = rules._Statement.applies

    def applies(statement: Any, wanted: Import) -> bool:
        exact = any(each.fullmatch(wanted.resource) for each in statement.resources)
        return exact and original(statement, wanted)

    patch.setattr(rules._Statement, "applies", applies)


def conditions_do_not_count(patch: Patch) -> None:
    _applies_to(patch, conditions=lambda _: ())


def one_condition_of_several_is_enough(patch: Patch) -> None:
    _applies_to(patch, conditions=lambda all_of_them: all_of_them[:1])


def not_equals_is_equals(patch: Patch) -> None:
    patch.setattr(
        rules._Condition, "holds", lambda it, wanted: rules._KEYS[it.key].value(wanted) in it.values
    )


def only_the_first_value_of_a_condition_counts(patch: Patch) -> None:
    original = rules._Condition.holds
    patch.setattr(
        rules._Condition,
        "holds",
        lambda it, wanted: original(replace(it, values=it.values[:1]), wanted),
    )


def _key(patch: Patch, key: str, **changes: Any) -> None:
    patch.setattr(rules, "_KEYS", {**rules._KEYS, key: replace(rules._KEYS[key], **changes)})


def data_is_never_imported(patch: Patch) -> None:
    _key(patch, "lookoutequipment:isimportingdata", value=lambda _: "false")


def condition_keys_have_a_case(patch: Patch) -> None:
    original = rules._condition

    def condition(operator: str, key: str, raw: Any, at: str) -> Any:
        return original(operator, key.replace("AWS:principalaccount", "unknown"), raw, at)

    patch.setattr(rules, "_condition", condition)


def booleans_are_no_texts(patch: Patch) -> None:
    original = rules._condition

    def condition(operator: str, key: str, raw: Any, at: str) -> Any:
        return original(operator, key, [] if raw == [True] else raw, at)

    patch.setattr(rules, "_condition", condition)


def actions_have_a_case(patch: Patch) -> None:
    original = rules._actions

    def actions(raw: Any, at: str, resource: str) -> frozenset[str]:
        original(raw, at, resource)
        return frozenset(rules._listed(raw)) & {rules.IMPORT_DATASET}

    patch.setattr(rules, "_actions", actions)


# Who is meant


def _meant(patch: Patch, changed: Callable[[str, Principal], tuple[str, Principal]]) -> None:
    """Compare something else than what a policy names and who it is."""
    original = rules._is_meant
    patch.setattr(rules, "_is_meant", lambda named, principal: original(*changed(named, principal)))


def names_are_not_compared(patch: Patch) -> None:
    _meant(
        patch,
        lambda named, who: (re.sub(r"(role|user)/.*", rf"\1/{who.name}", named) if who.name else named, who),
    )


def users_pass_for_roles(patch: Patch) -> None:
    _meant(patch, lambda named, who: (named, replace(who, kind="role") if who.kind else who))


def accounts_of_roles_are_not_compared(patch: Patch) -> None:
    _meant(
        patch,
        lambda named, who: (re.sub(r"iam::\d+", f"iam::{who.account}", named) if who.account else named, who),
    )


def every_account_is_meant(patch: Patch) -> None:
    _meant(patch, lambda named, who: ("*" if named.isdigit() else named, who))


def the_root_of_an_account_is_nobody(patch: Patch) -> None:
    _meant(patch, lambda named, who: ("nobody" if named.endswith(":root") else named, who))


def everybody_is_nobody(patch: Patch) -> None:
    _meant(patch, lambda named, who: ("nobody" if named == "*" else named, who))


def sessions_are_not_of_their_role(patch: Patch) -> None:
    original = Principal.of
    patch.setattr(
        Principal,
        "of",
        lambda arn: replace(original(arn), kind="session") if ":assumed-role/" in arn else original(arn),
    )


def paths_belong_to_names(patch: Patch) -> None:
    original = Principal.of
    patch.setattr(
        Principal,
        "of",
        lambda arn: replace(original(arn), name=arn.partition("/")[2]) if "/" in arn else original(arn),
    )


def partitions_do_not_count(patch: Patch) -> None:
    original = rules._principals
    patch.setattr(rules, "_principals", lambda raw, at, _: original(raw, at, raw["AWS"]))


# What is refused

_ANYTHING = re.compile(".*", re.DOTALL)


def any_text_is_a_document(patch: Patch) -> None:
    def document(text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return {}

    patch.setattr(rules, "_document", document)


def members_may_come_twice(patch: Patch) -> None:
    patch.setattr(rules, "_members", dict)


def every_version_will_do(patch: Patch) -> None:
    original = rules.parse_policy

    def parse(text: str, *, resource: str) -> Policy:
        return original(text.replace("2008-10-17", "2012-10-17"), resource=resource)

    patch.setattr(tables, "parse_policy", parse)


def a_policy_may_say_nothing(patch: Patch) -> None:
    original = rules.parse_policy

    def parse(text: str, *, resource: str) -> Policy:
        return Policy(()) if '"Statement": []' in text else original(text, resource=resource)

    patch.setattr(tables, "parse_policy", parse)


def unknown_members_are_ignored(patch: Patch) -> None:
    original = rules._object
    patch.setattr(rules, "_object", lambda raw, at, **_: original(raw, at))


def anything_is_an_object(patch: Patch) -> None:
    original = rules._object
    patch.setattr(
        rules, "_object", lambda raw, at, **more: original(raw if isinstance(raw, dict) else {}, at, **more)
    )


def sids_may_be_repeated(patch: Patch) -> None:
    original = rules.parse_policy

    def parse(text: str, *, resource: str) -> Policy:
        return original(text.replace('"Sid": "a"', '"Sid": "b"', 1), resource=resource)

    patch.setattr(tables, "parse_policy", parse)


def _statements(patch: Patch, **defaults: Any) -> None:
    """Read statements as if members that are wrong were these."""
    original = rules._statement

    def statement(raw: Any, at: str, resource: str) -> Any:
        known = {"Sid": lambda sid: isinstance(sid, str), "Effect": lambda effect: effect in rules._EFFECTS}
        read = {
            name: default
            for name, default in defaults.items()
            if isinstance(raw, dict) and not known[name](raw.get(name))
        }
        return original({**raw, **read} if read else raw, at, resource)

    patch.setattr(rules, "_statement", statement)


def a_sid_may_be_anything(patch: Patch) -> None:
    _statements(patch, Sid="")


def a_wrong_effect_is_a_deny(patch: Patch) -> None:
    _statements(patch, Effect="Deny")


def statements_are_for_everybody(patch: Patch) -> None:
    original = rules._principals
    patch.setattr(rules, "_principals", lambda raw, *at: original(raw or "*", *at))


def other_principals_are_ignored(patch: Patch) -> None:
    original = rules._principals
    patch.setattr(
        rules, "_principals", lambda raw, *at: () if raw and "Service" in raw else original(raw, *at)
    )


def accounts_may_have_any_length(patch: Patch) -> None:
    patch.setattr(rules, "_ACCOUNT", re.compile(r"\d+"))


def principals_may_have_wildcards(patch: Patch) -> None:
    pattern = rules._PRINCIPAL.pattern.replace(r"[\w+=,.@-]+", r"[\w+=,.@*-]+")
    patch.setattr(rules, "_PRINCIPAL", re.compile(pattern, re.ASCII))


def sessions_may_be_named(patch: Patch) -> None:
    pattern = rules._PRINCIPAL.pattern.replace(":iam::", ":(?:iam|sts)::")
    pattern = pattern.replace("role|", "(?:assumed-)?role|")
    patch.setattr(rules, "_PRINCIPAL", re.compile(pattern, re.ASCII))


def _without_check(name: str) -> Callable[[Patch], None]:
    """Let a part of a statement be read without its checks, as one that never applies."""

    def plant(patch: Patch) -> None:
        patch.setattr(rules, name, lambda *_: ())

    plant.__name__ = f"{name.removeprefix('_')}_are_not_checked"
    return plant


def resources_of_others_are_accepted(patch: Patch) -> None:
    patch.setattr(rules, "_can_match", lambda *_: True)


def versions_are_not_resources_of_their_model(patch: Patch) -> None:
    patch.setattr(rules, "_can_match", lambda _, pattern, resource: bool(pattern.fullmatch(resource)))


def patterns_have_no_wildcards(patch: Patch) -> None:
    patch.setattr(rules, "_pattern", lambda text: re.compile(re.escape(text)))


def every_operator_fits_every_key(patch: Patch) -> None:
    every = ("Bool", "BoolIfExists", "StringEquals", "StringNotEquals", "StringLike")
    for key in rules._KEYS:
        _key(patch, key, operators=every)


def any_value_of_a_condition_will_do(patch: Patch) -> None:
    for key in rules._KEYS:
        _key(patch, key, is_value=lambda _: True)


BUGS = (
    Bug(a_deny_does_not_count, several),
    Bug(an_allow_is_not_needed, several),
    Bug(one_policy_of_several_is_enough, several),
    Bug(others_need_no_policy, several),
    Bug(the_own_account_needs_an_allow, several),
    Bug(a_deny_does_not_bind_the_own_account, several),
    Bug(principals_do_not_count, principals),
    Bug(only_the_first_principal_counts, principals),
    Bug(resources_do_not_count, resources),
    Bug(only_the_first_resource_counts, resources),
    Bug(policies_of_models_do_not_cover_versions, resources),
    Bug(conditions_do_not_count, conditions),
    Bug(one_condition_of_several_is_enough, conditions),
    Bug(not_equals_is_equals, conditions),
    Bug(only_the_first_value_of_a_condition_counts, conditions),
    Bug(data_is_never_imported, conditions),
    Bug(condition_keys_have_a_case, conditions),
    Bug(booleans_are_no_texts, conditions),
    Bug(actions_have_a_case, tables.test_actions_are_read_without_case_as_in_iam),
    Bug(names_are_not_compared, principals),
    Bug(users_pass_for_roles, principals),
    Bug(accounts_of_roles_are_not_compared, principals),
    Bug(every_account_is_meant, principals),
    Bug(the_root_of_an_account_is_nobody, principals),
    Bug(everybody_is_nobody, principals),
    Bug(sessions_are_not_of_their_role, principals),
    Bug(paths_belong_to_names, principals),
    Bug(partitions_do_not_count, tables.test_a_principal_is_of_the_partition_of_the_resource),
    Bug(any_text_is_a_document, refused),
    Bug(members_may_come_twice, refused),
    Bug(every_version_will_do, refused),
    Bug(a_policy_may_say_nothing, refused),
    Bug(unknown_members_are_ignored, refused),
    Bug(unknown_members_are_ignored, wrong),
    Bug(anything_is_an_object, refused),
    Bug(anything_is_an_object, wrong),
    Bug(sids_may_be_repeated, tables.test_a_sid_is_given_once),
    Bug(a_sid_may_be_anything, wrong),
    Bug(a_wrong_effect_is_a_deny, wrong),
    Bug(statements_are_for_everybody, wrong),
    Bug(other_principals_are_ignored, wrong),
    Bug(accounts_may_have_any_length, wrong),
    Bug(principals_may_have_wildcards, wrong),
    Bug(sessions_may_be_named, wrong),
    *(Bug(_without_check(name), wrong) for name in ("_actions", "_resources", "_conditions")),
    Bug(resources_of_others_are_accepted, wrong),
    Bug(versions_are_not_resources_of_their_model, resources),
    Bug(patterns_have_no_wildcards, resources),
    Bug(every_operator_fits_every_key, wrong),
    Bug(any_value_of_a_condition_will_do, wrong),
)


@pytest.mark.parametrize("table", [principals, resources, conditions, several, refused, wrong])
def test_the_tables_hold_without_a_bug(table: Callable[[], None]) -> None:
    table()


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: f"{bug.name}-{bug.caught_by.__name__}")
def test_the_tests_of_policies_catch(bug: Bug, request: pytest.FixtureRequest, monkeypatch: Patch) -> None:
    assert_caught(bug, request, monkeypatch)
