"""The functions of the service, their logs, and the numeric libraries that they work with."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from l4e_cli.doctor.deployment import REPAIR, Deployment
from l4e_cli.doctor.finding import Finding, ok, problem
from l4e_cli.doctor.reading import Account, Unread, pages, read
from l4e_cli.words import count

AREA = "Functions"
_INFER = "service.jobs.infer.handler"
_DAYS_OF_LOGS = 90


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A function. `reserved` is its reserved concurrency, None without one."""

    name: str
    handler: str
    state: str = "Active"
    reason: str = ""
    memory_mib: int
    role_arn: str = ""
    layers: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    reserved: int | Unread | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LogGroup:
    """A log group; `days` is how long it keeps its lines, None for ever."""

    name: str
    exists: bool
    days: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Numeric:
    """What a function says of its libraries."""

    numpy: str
    pyarrow: str
    blas: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The functions of a stack; `numeric` is what the inference function answers."""

    functions: Sequence[Function] | Unread
    logs: Sequence[LogGroup] | Unread
    numeric: Numeric | Unread

    @property
    def _read(self) -> Sequence[Function]:
        return () if isinstance(self.functions, Unread) else self.functions

    @property
    def largest_memory_mib(self) -> int | None:
        """Memory of the largest function; None when none could be read."""
        return max((each.memory_mib for each in self._read), default=None)

    @property
    def role_of_jobs(self) -> str | None:
        """ARN of the role that the jobs have; None when it could not be read."""
        return next((each.role_arn for each in self._read if each.handler == _INFER), None)

    def variable(self, name: str) -> str | None:
        """Return a variable of the environment of the service's functions; None when it could not be read."""
        return next((each.environment[name] for each in self._read if name in each.environment), None)


def collect(account: Account, deployment: Deployment) -> Facts:
    """Read the functions, and ask the inference function what it works with."""
    functions = _functions(account, deployment)
    return Facts(functions=functions, logs=_logs(account, deployment), numeric=_numeric(account, functions))


def _functions(account: Account, deployment: Deployment) -> Sequence[Function] | Unread:
    client, found = account.client("lambda"), []
    for name in deployment.of("AWS::Lambda::Function"):
        facts = read(
            "lambda:GetFunctionConfiguration",
            partial(client.get_function_configuration, FunctionName=name),
        )
        if isinstance(facts, Unread):
            return facts
        found.append(_absent(name) if facts is None else _function(client, facts))
    return found


def _absent(name: str) -> Function:
    return Function(name=name, handler="", state="Deleted", reason="it does not exist", memory_mib=0)


def _function(client: Any, facts: Any) -> Function:
    name = facts["FunctionName"]
    concurrency = read(
        "lambda:GetFunctionConcurrency", lambda: client.get_function_concurrency(FunctionName=name)
    )
    updated = facts.get("LastUpdateStatus", "Successful")
    failed = updated == "Failed"
    return Function(
        name=name,
        handler=facts.get("Handler", ""),
        state="Failed" if failed else facts.get("State", "Active"),
        reason=facts.get("LastUpdateStatusReason" if failed else "StateReason", ""),
        memory_mib=facts["MemorySize"],
        role_arn=facts.get("Role", ""),
        layers=[layer["Arn"] for layer in facts.get("Layers", [])],
        environment=facts.get("Environment", {}).get("Variables", {}),
        reserved=concurrency
        if concurrency is None or isinstance(concurrency, Unread)
        else concurrency.get("ReservedConcurrentExecutions"),
    )


def _logs(account: Account, deployment: Deployment) -> Sequence[LogGroup] | Unread:
    client, found = account.client("logs"), []
    for name in deployment.of("AWS::Logs::LogGroup"):
        groups = read(
            "logs:DescribeLogGroups",
            partial(_groups, client, name),
        )
        if isinstance(groups, Unread):
            return groups
        same = [each for each in groups or () if each["logGroupName"] == name]
        days = same[0].get("retentionInDays") if same else None
        found.append(LogGroup(name=name, exists=bool(same), days=days))
    return found


def _groups(client: Any, name: str) -> list[Any]:
    return list(pages(client, "describe_log_groups", "logGroups", logGroupNamePrefix=name))


def _numeric(account: Account, functions: Sequence[Function] | Unread) -> Numeric | Unread:
    if isinstance(functions, Unread):
        return functions
    infer = next((each.name for each in functions if each.handler == _INFER), None)
    if infer is None:
        return Unread(f"the stack has no function with the handler {_INFER}")
    payload = json.dumps({"Step": "libraries"}).encode()
    answer = read("lambda:InvokeFunction", lambda: _invoke(account.client("lambda"), infer, payload))
    match answer:
        case Unread():
            return answer
        case {"Numpy": str(numpy), "Pyarrow": str(pyarrow), "Blas": (str() | None) as blas}:
            return Numeric(numpy=numpy, pyarrow=pyarrow, blas=blas)
        case _:
            return Unread(
                f"function {infer} did not say what it works with: {json.dumps(answer)[:300]}",
                fix="deploy this release of the service, then look again",
            )


def _invoke(client: Any, name: str, payload: bytes) -> Any:
    return json.loads(client.invoke(FunctionName=name, Payload=payload)["Payload"].read())


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what the facts mean."""
    if isinstance(facts.functions, Unread):
        yield facts.functions.finding("functions")
    else:
        yield from _check_functions(facts.functions)
    if isinstance(facts.logs, Unread):
        yield facts.logs.finding("log groups")
    else:
        yield from _check_logs(facts.logs)
    yield _check_numeric(facts)


def _check_functions(functions: Sequence[Function]) -> Iterator[Finding]:
    wrong = [finding for each in functions for finding in _faults(each)]
    yield from wrong
    if not wrong:
        largest = max((each.memory_mib for each in functions), default=0)
        yield ok("functions", f"{count(len(functions), 'function')}, the largest with {largest:,} MiB")


def _faults(function: Function) -> Iterator[Finding]:
    if function.state in {"Failed", "Deleted"}:
        yield problem(
            "functions",
            f"{function.name} cannot run: {function.reason or function.state}",
            fix=REPAIR,
        )
    if isinstance(function.reserved, Unread):
        yield function.reserved.finding("functions")
    elif function.reserved == 0:
        yield problem(
            "functions",
            f"{function.name} is switched off: its reserved concurrency is 0",
            fix=f"aws lambda delete-function-concurrency --function-name {function.name}",
        )


def _check_logs(logs: Sequence[LogGroup]) -> Iterator[Finding]:
    wrong = [finding for each in logs for finding in _log_faults(each)]
    yield from wrong
    if not wrong:
        yield ok("log groups", f"{count(len(logs), 'log group')}, each with an end to what it keeps")


def _log_faults(group: LogGroup) -> Iterator[Finding]:
    retention = (
        f"aws logs put-retention-policy --log-group-name {group.name} --retention-in-days {_DAYS_OF_LOGS}"
    )
    if not group.exists:
        yield problem(
            "log groups",
            f"{group.name} does not exist, so what its function says is lost",
            fix=f"aws logs create-log-group --log-group-name {group.name} && {retention}",
        )
    elif group.days is None:
        yield problem("log groups", f"{group.name} keeps its lines, and costs, for ever", fix=retention)


def _check_numeric(facts: Facts) -> Finding:
    name, numeric = "numeric libraries", facts.numeric
    if isinstance(numeric, Unread):
        return numeric.finding(name)
    versions = f"numpy {numeric.numpy}, pyarrow {numeric.pyarrow}"
    if numeric.blas is None:
        return problem(
            name,
            f"{versions}: this numpy has no BLAS, so trainings take ten to a hundred times as long",
            fix="give `EquipmentService` a `numeric_layer` whose numpy has one, such as PyPI's",
        )
    return ok(name, f"{versions}, BLAS {numeric.blas}{_layer(facts.functions)}")


def _layer(functions: Sequence[Function] | Unread) -> str:
    found = () if isinstance(functions, Unread) else functions
    layers = next((each.layers for each in found if each.handler == _INFER), ())
    return f", from {', '.join(layers)}" if layers else ""
