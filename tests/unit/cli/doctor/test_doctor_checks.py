"""What facts of an account mean: for each area, facts in order and every fault, with what is said of it."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from l4e_cli.doctor import alarms, api, deployment, functions, identity, jobs, quotas, schedulers, state
from l4e_cli.doctor.deployment import Deployment
from l4e_cli.doctor.finding import Finding, Status
from l4e_cli.doctor.reading import Unread

SECRET = Unread("these credentials may not call it", fix="allow it")


def said(findings: Iterable[Finding]) -> list[tuple[Status, str]]:
    return [(finding.status, finding.check) for finding in findings]


def only(findings: Iterable[Finding], status: Status) -> Finding:
    (finding,) = [each for each in findings if each.status == status]
    return finding


CALLER = identity.Caller(arn="arn:aws:iam::111122223333:user/me", account="111122223333", region="eu-west-1")


@pytest.mark.parametrize(
    ("version", "status", "text"),
    [
        ("32", "ok", "version 32"),
        ("6", "ok", "version 6"),
        ("5", "problem", "version 5 is older than 6"),
        (None, "problem", "eu-west-1 is not bootstrapped"),
        ("new", "not checked", "'new', which is not a number"),
        (SECRET, "not checked", "may not call"),
    ],
)
def test_bootstrap(version: str | Unread | None, status: Status, text: str) -> None:
    who, bootstrap = identity.check(identity.Facts(caller=CALLER, bootstrap=version))

    assert (who.status, who.text) == ("ok", "arn:aws:iam::111122223333:user/me in eu-west-1")
    assert (bootstrap.status, text in bootstrap.text) == (status, True)
    if status == "problem":
        assert bootstrap.fix == "cdk bootstrap aws://111122223333/eu-west-1"


RESOURCES = {
    "AWS::ApiGateway::RestApi": ["api"],
    "AWS::ApiGateway::Stage": ["v1"],
    "AWS::Lambda::Function": ["f"],
}
STACK = Deployment(name="Service", status="CREATE_COMPLETE", outputs={}, resources=RESOURCES)


@pytest.mark.parametrize(
    ("stack", "expected", "text"),
    [
        (STACK, [("ok", "stack")], "Service is CREATE_COMPLETE"),
        (replace(STACK, status="UPDATE_COMPLETE"), [("ok", "stack")], "UPDATE_COMPLETE"),
        (replace(STACK, status="UPDATE_IN_PROGRESS"), [("not checked", "stack")], "may change"),
        (
            replace(STACK, status="ROLLBACK_COMPLETE", reason="no memory"),
            [("problem", "stack")],
            "ROLLBACK_COMPLETE: no memory",
        ),
        (replace(STACK, resources={}), [("ok", "stack"), ("problem", "service")], "Service"),
        (None, [("not checked", "stack")], "no stack 'Service'"),
        (SECRET, [("not checked", "stack")], "may not call"),
    ],
)
def test_stack(stack: Deployment | Unread | None, expected: list[tuple[Status, str]], text: str) -> None:
    found = list(deployment.check(stack, stack="Service"))

    assert said(found) == expected
    assert text in found[0].text


IN_ORDER: Sequence[state.Part] = (
    state.Part(kind="table", name="t", state="ACTIVE"),
    state.Part(kind="bucket", name="b", state="there"),
    state.Part(kind="key", name="k", state="Enabled"),
    state.Part(kind="dead letters", name="https://q", state="0"),
)


def test_state_in_order() -> None:
    assert said(state.check(IN_ORDER)) == [("ok", part.kind) for part in IN_ORDER]
    assert said(state.check([])) == []


@pytest.mark.parametrize(
    ("kind", "found", "text", "fix"),
    [
        ("table", "INACCESSIBLE_ENCRYPTION_CREDENTIALS", "t is INACCESSIBLE", "restore it"),
        ("table", None, "t does not exist any more", "restore it from a backup"),
        ("bucket", None, "b does not exist any more", "restore it from a backup"),
        ("key", "Disabled", "no state can be read", "aws kms enable-key --key-id k"),
        (
            "key",
            "PendingDeletion",
            "about to be deleted, and all state",
            "aws kms cancel-key-deletion --key-id k && aws kms enable-key --key-id k",
        ),
        ("dead letters", "1", "1 event could not be handled", "aws sqs purge-queue --queue-url https://q"),
        ("dead letters", "2", "2 events could not be handled", "log of the reconciler"),
    ],
)
def test_faults_of_state(kind: state.Kind, found: str | None, text: str, fix: str) -> None:
    parts = [replace(part, state=found) if part.kind == kind else part for part in IN_ORDER]
    fault = only(state.check(parts), "problem")

    assert fault.check == kind
    assert text in fault.text
    assert fix in str(fault.fix)


def test_state_that_may_not_be_read() -> None:
    parts = [replace(part, state=SECRET) for part in IN_ORDER]

    assert said(state.check(parts)) == [("not checked", part.kind) for part in IN_ORDER]


INFER = functions.Function(
    name="infer",
    handler="service.jobs.infer.handler",
    memory_mib=1024,
    role_arn="arn:aws:iam::111122223333:role/jobs",
    layers=["arn:layer:7"],
    environment={"L4E_TABLE": "t"},
)
CODE = functions.Facts(
    functions=[INFER, functions.Function(name="cdk", handler="index.handler", memory_mib=3008)],
    logs=[functions.LogGroup(name="/l", exists=True, days=90)],
    numeric=functions.Numeric(numpy="2.5.5", pyarrow="26.0.1", blas="scipy-openblas"),
)


def test_functions_in_order() -> None:
    found = list(functions.check(CODE))

    assert said(found) == [("ok", "functions"), ("ok", "log groups"), ("ok", "numeric libraries")]
    assert [each.text for each in found] == [
        "2 functions, the largest with 3,008 MiB",
        "1 log group, each with an end to what it keeps",
        "numpy 2.5.5, pyarrow 26.0.1, BLAS scipy-openblas, from arn:layer:7",
    ]


def test_what_is_known_of_functions() -> None:
    assert CODE.largest_memory_mib == 3008
    assert CODE.role_of_jobs == INFER.role_arn
    assert (CODE.variable("L4E_TABLE"), CODE.variable("L4E_BUCKET")) == ("t", None)
    unknown = replace(CODE, functions=SECRET)
    assert (unknown.largest_memory_mib, unknown.role_of_jobs, unknown.variable("L4E_TABLE")) == (None,) * 3


@pytest.mark.parametrize(
    ("changed", "check", "text", "fix"),
    [
        (
            {"functions": [replace(INFER, state="Failed", reason="no layer")]},
            "functions",
            "infer cannot run: no layer",
            "deploy the stack again",
        ),
        (
            {"functions": [replace(INFER, state="Deleted", reason="it does not exist")]},
            "functions",
            "infer cannot run: it does not exist",
            "deploy the stack again",
        ),
        (
            {"functions": [replace(INFER, reserved=0)]},
            "functions",
            "infer is switched off",
            "aws lambda delete-function-concurrency --function-name infer",
        ),
        (
            {"logs": [functions.LogGroup(name="/l", exists=False, days=None)]},
            "log groups",
            "/l does not exist",
            "aws logs create-log-group --log-group-name /l && aws logs put-retention-policy",
        ),
        (
            {"logs": [functions.LogGroup(name="/l", exists=True, days=None)]},
            "log groups",
            "for ever",
            "aws logs put-retention-policy --log-group-name /l --retention-in-days 90",
        ),
        (
            {"numeric": functions.Numeric(numpy="2.4", pyarrow="24", blas=None)},
            "numeric libraries",
            "numpy 2.4, pyarrow 24: this numpy has no BLAS",
            "numeric_layer",
        ),
    ],
)
def test_faults_of_functions(changed: dict[str, Any], check: str, text: str, fix: str) -> None:
    fault = only(functions.check(replace(CODE, **changed)), "problem")

    assert fault.check == check
    assert text in fault.text
    assert fix in str(fault.fix)


@pytest.mark.parametrize(
    ("changed", "check"),
    [
        ({"functions": SECRET}, "functions"),
        ({"functions": [replace(INFER, reserved=SECRET)]}, "functions"),
        ({"logs": SECRET}, "log groups"),
        ({"numeric": SECRET}, "numeric libraries"),
    ],
)
def test_functions_that_may_not_be_read(changed: dict[str, Any], check: str) -> None:
    assert only(functions.check(replace(CODE, **changed)), "not checked").check == check


def test_a_function_with_concurrency_of_its_own_is_in_order() -> None:
    found = functions.check(replace(CODE, functions=[replace(INFER, reserved=1)]))
    assert said(found)[0] == ("ok", "functions")


URL = "https://api/v1"
API = api.Facts(
    stage="v1",
    private=False,
    answer=api.Answer(url=URL),
    shell=api.Shell(endpoint=URL, signing_name="execute-api"),
)


def test_api_in_order() -> None:
    found = list(api.check(API, stack="Service"))

    assert said(found) == [("ok", "stage"), ("ok", "signed call"), ("ok", "client settings")]
    assert found[1].text == "ListDatasets at https://api/v1"


@pytest.mark.parametrize(
    ("code", "message", "text", "fix"),
    [
        (
            "AccessDeniedException",
            "User: me is not authorized to perform: execute-api:Invoke on resource: x",
            "these credentials may not call the API: User: me",
            "grant_read",
        ),
        ("AccessDeniedException", "no such key", "the API refused the call", "policy of the API"),
        ("InvalidSignatureException", "The request signature", "does not accept the signature", "clock"),
        (
            "ExpiredTokenException",
            "The security token is expired",
            "ExpiredTokenException",
            "new credentials",
        ),
        (
            "InternalServerException",
            "id 7",
            "the API answered InternalServerException id 7",
            "log of the API",
        ),
        ("no answer", "could not resolve", "https://api/v1 does not answer: could not resolve", "proxy"),
    ],
)
def test_refused_calls(code: str, message: str, text: str, fix: str) -> None:
    facts = replace(API, answer=api.Answer(url=URL, code=code, message=message))
    fault = only(api.check(facts, stack="Service"), "problem")

    assert fault.check == "signed call"
    assert text in fault.text
    assert fix in str(fault.fix)


def test_a_private_api_is_no_fault_of_the_network_outside() -> None:
    answer = api.Answer(url=URL, code="no answer", message="timed out")
    found = only(api.check(replace(API, private=True, answer=answer), stack="Service"), "not checked")

    assert found.check == "signed call"
    assert "in the VPC" in str(found.fix)


@pytest.mark.parametrize(
    ("shell", "status", "text"),
    [
        (
            api.Shell(endpoint=None, signing_name="lookoutequipment"),
            "not checked",
            "is not set in this shell",
        ),
        (api.Shell(endpoint=URL, signing_name=None), "problem", "does not know the service"),
        (
            api.Shell(endpoint=URL, signing_name="lookoutequipment"),
            "problem",
            "would sign for 'lookoutequipment', where API Gateway wants 'execute-api'",
        ),
    ],
)
def test_settings_of_the_shell(shell: api.Shell, status: Status, text: str) -> None:
    found = only(api.check(replace(API, shell=shell), stack="Service"), status)

    assert found.check == "client settings"
    assert text in found.text
    assert found.fix == "run what `l4e configure --stack Service` prints"


@pytest.mark.parametrize(("stage", "status"), [(None, "problem"), (SECRET, "not checked")])
def test_stages(stage: Unread | None, status: Status) -> None:
    assert only(api.check(replace(API, stage=stage), stack="Service"), status).check == "stage"


PUMP = schedulers.Scheduler(name="pump", status="RUNNING", schedule="ENABLED")


def test_schedulers_in_order() -> None:
    stopped = schedulers.Scheduler(name="fan", status="STOPPED", schedule="DISABLED")
    (found,) = schedulers.check([PUMP, stopped, replace(stopped, schedule=None)])

    assert (found.status, found.text) == ("ok", "3 schedulers, 1 running, none failed in a day")
    assert schedulers.running([PUMP, stopped]) == 1
    assert schedulers.running(SECRET) == 0


@pytest.mark.parametrize(
    ("changed", "check", "text"),
    [
        ({"schedule": "DISABLED"}, "schedules", "pump runs, but its schedule is disabled"),
        ({"schedule": None}, "schedules", "pump runs, but has no schedule that wakes it"),
        (
            {"failures": 3, "reason": "no file"},
            "executions",
            "pump: 3 windows of the last day failed; the latest: no file",
        ),
        ({"failures": 500, "reason": "x"}, "executions", "500 windows or more of the last day failed"),
    ],
)
def test_faults_of_schedulers(changed: dict[str, Any], check: str, text: str) -> None:
    (fault,) = schedulers.check([replace(PUMP, **changed)])

    assert (fault.status, fault.check) == ("problem", check)
    assert text in fault.text
    assert fault.fix


def test_schedulers_that_may_not_be_read() -> None:
    assert said(schedulers.check(SECRET)) == [("not checked", "schedulers")]
    hidden = replace(PUMP, schedule=SECRET, failures=SECRET)
    assert said(schedulers.check([hidden])) == [("not checked", "schedules"), ("not checked", "executions")]


@pytest.mark.parametrize(
    ("failures", "status", "text"),
    [
        (0, "ok", "1 state machine, nothing failed"),
        (2, "problem", "2 executions of train ended badly"),
        (None, "problem", "train does not exist any more"),
        (SECRET, "not checked", "may not call"),
    ],
)
def test_jobs(failures: int | Unread | None, status: Status, text: str) -> None:
    (found,) = jobs.check([jobs.Machine(name="train", failures=failures)])

    assert (found.status, text in found.text) == (status, True)


ALARM = alarms.Alarm(name="a", description="pump: inference fails", state="OK", metric="InferenceFailed")


def test_alarms_in_order() -> None:
    (found,) = alarms.check([ALARM, replace(ALARM, state="INSUFFICIENT_DATA")])

    assert (found.status, found.text) == ("ok", "2 alarms on schedulers, none raised, 1 without data yet")


@pytest.mark.parametrize(
    ("metric", "fix"),
    [
        ("AnomalyDetected", "look at the equipment"),
        ("FaultBegan", "look at the equipment"),
        ("LevelMoved", "why the level moved"),
        ("InferenceFailed", "FailedReason"),
    ],
)
def test_raised_alarms(metric: str, fix: str) -> None:
    raised = replace(ALARM, state="ALARM", reason="1 datapoint", metric=metric)
    (found,) = alarms.check([ALARM, raised])

    assert (found.status, found.text) == ("problem", "pump: inference fails: 1 datapoint")
    assert fix in str(found.fix)


def test_alarms_that_may_not_be_read() -> None:
    assert said(alarms.check(SECRET)) == [("not checked", "alarms")]


@pytest.mark.parametrize(
    ("concurrency", "schedulers_", "status"),
    [
        (10, 0, "ok"),
        (10, 3, "ok"),
        (10, 4, "problem"),
        (7, 0, "ok"),
        (6, 0, "problem"),
        (SECRET, 0, "not checked"),
    ],
)
def test_concurrency(concurrency: int | Unread, schedulers_: int, status: Status) -> None:
    found, _ = quotas.check(quotas.Facts(concurrency=concurrency, schedulers=schedulers_, memory_mib=1024))

    assert found.status == status
    if status == "problem":
        assert f"{schedulers_} to infer" in found.text
        assert "L-B99A9384" in str(found.fix)


def test_memory_is_known_by_what_is_deployed() -> None:
    _, before = quotas.check(quotas.Facts(concurrency=10))
    _, after = quotas.check(quotas.Facts(concurrency=10, memory_mib=3008))

    assert (before.status, "3,008 MiB" in before.text) == ("not checked", True)
    assert (after.status, "a function with 3,008 MiB" in after.text) == ("ok", True)


def test_the_width_of_an_ingestion_is_that_of_its_map() -> None:
    assert quotas.widest_map({"States": {"Plan": {}, "Read": {"MaxConcurrency": 7}}}) == 7
    assert quotas.widest_map({"States": {"Train": {}}}) is None
