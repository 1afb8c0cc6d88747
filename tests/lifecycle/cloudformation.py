"""CloudFormation and CDK's provider framework, as far as a custom resource can feel them.

The provider follows the framework's own code: what it does with an exception, with an id, with a Delete
after a failed Create. The stack follows CloudFormation: which events it sends, with which ids, when
something fails or is cancelled.
"""

import itertools
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.aws_limits import require_state
from tests.lifecycle.world import Killed, World, copied

CREATE_FAILED = "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED"
TIME_LIMIT = 3000
RESPONSE_LIMIT = 4096
CALLS_PER_INVOCATION = 30
LABELS_PER_INVOCATION = 200
"""Creations and deletions of labels, twice a hundred: those that were interrupted, and the next."""
_STACK_TRACE = "\n".join(
    f"    at {where} (/var/task/{file}.js:{line})"
    for where, file, line in (
        ("invokeUserFunction", "framework", "2:6"),
        ("process.processTicksAndRejections", "node:internal/process/task_queues", "105:5"),
        ("async isComplete", "framework", "1:2402"),
        ("async Runtime.handler", "cfn-response", "1:1680"),
    )
)

Properties = dict[str, Any]
Template = Mapping[str, tuple[str, Properties]]


@dataclass
class Operation:
    """One event on its way through the framework; every `step` is one invocation of a handler."""

    world: World
    event: dict[str, Any]
    response: dict[str, Any] | None = None
    waiter: dict[str, Any] | None = None
    begun: float = 0

    def step(self) -> None:
        """Invoke on_event or is_complete once."""
        if self.event["RequestType"] == "Delete" and self.event["PhysicalResourceId"] == CREATE_FAILED:
            self._respond("SUCCESS", self.event)
        elif self.waiter is None:
            self._on_event()
        else:
            self._is_complete()

    def run(self) -> dict[str, Any]:
        """Step to the end, letting time pass between polls."""
        for number in itertools.count():
            if self.response is not None:
                return self.response
            self.step()
            self.world.now += _interval(number)
        raise AssertionError

    def _on_event(self) -> None:
        try:
            result = self._invoke(self.world.runner.on_event, self.event)
        except _FunctionError as error:
            self._fail({"PhysicalResourceId": CREATE_FAILED, **self.event}, error)
            return
        physical_id = result.get("PhysicalResourceId") or self.event.get("PhysicalResourceId")
        if self.event["RequestType"] == "Delete" and physical_id != self.event["PhysicalResourceId"]:
            self._fail(self.event, _FunctionError("DELETE: cannot change the physical resource ID"))
            return
        self.waiter = {**self.event, **result, "PhysicalResourceId": physical_id or self.event["RequestId"]}

    def _is_complete(self) -> None:
        assert self.waiter is not None
        self.begun = self.begun or self.world.now
        if self.world.now - self.begun >= TIME_LIMIT:
            self._respond("FAILED", self.waiter, reason="Operation timed out")
            return
        try:
            result = self._invoke(self.world.runner.is_complete, self.waiter)
        except _FunctionError as error:
            self._fail(self.waiter, error)
            return
        if result.get("IsComplete"):
            data = {**self.waiter.get("Data", {}), **result.get("Data", {})}
            self._respond("SUCCESS", {**self.waiter, **result, "Data": data})
        elif result.get("Data"):
            self._fail(self.waiter, _FunctionError('"Data" is not allowed if "IsComplete" is "False"'))

    def _invoke(
        self, handler: Callable[[Mapping[str, Any]], Any], event: Mapping[str, Any]
    ) -> dict[str, Any]:
        payload = json.loads(json.dumps(event))
        require_state("event that the waiter hands on", payload)
        before = len(self.world.calls)
        self.world.enter()
        self.world.events.append(payload)
        try:
            result = handler(copied(payload))
        except Killed:
            raise _FunctionError("RequestId: 1 Error: Runtime exited with error: signal: killed") from None
        except Exception as error:
            raise _FunctionError(str(error)) from error
        finally:
            self.world.events.pop()
            made = self.world.calls[before:]
            labels = sum(call in {"CreateLabel", "DeleteLabel"} for call in made)
            many = len(made) - labels > CALLS_PER_INVOCATION or labels > LABELS_PER_INVOCATION
            if many and not self.world.hooks:
                self.world.violations.append(f"I9: {len(made)} calls in one invocation")
        answer: dict[str, Any] = json.loads(json.dumps(result))
        return answer

    def _fail(self, event: Mapping[str, Any], error: "_FunctionError") -> None:
        logs = f"Logs: /aws/lambda/{'f' * 64}"
        self._respond(
            "FAILED", event, reason=f"Error: {error}\n\n{logs}\n\n{_STACK_TRACE}", message=str(error)
        )

    def _respond(self, status: str, event: Mapping[str, Any], *, reason: str = "", message: str = "") -> None:
        body = {
            "Status": status,
            "Reason": reason or status,
            "StackId": event["StackId"],
            "RequestId": event["RequestId"],
            "PhysicalResourceId": event["PhysicalResourceId"],
            "LogicalResourceId": event["LogicalResourceId"],
            "Data": event.get("Data"),
        }
        size = len(json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode())
        if size > RESPONSE_LIMIT:
            self.world.violations.append(f"I1: a response of {size} bytes")
        if any(not isinstance(value, str) for value in (event.get("Data") or {}).values()):
            self.world.violations.append(f"I1: Data {event['Data']} has a value that is not a string")
        self.response = {**body, "Message": message or reason}


class _FunctionError(Exception):
    pass


@dataclass(frozen=True)
class Live:
    """What CloudFormation believes about one resource."""

    type: str
    physical_id: str
    properties: Properties


@dataclass
class Stack:
    """A stack. `live` is what it believes in; `abandoned` what it has given up on after a failed cleanup.

    `kept`: what stayed when it was deleted.

    `late_come_first`: whether what nobody waits for any more acts before what is waited for. `duplicates`:
    every event is delivered twice, and both deliveries run side by side; the first answer counts.
    """

    world: World
    name: str = "pump"
    region: str = "us-east-1"
    incarnation: int = 0
    duplicates: bool = False
    live: dict[str, Live] = field(default_factory=dict)
    abandoned: list[Live] = field(default_factory=list)
    kept: list[Live] = field(default_factory=list)
    reasons: list[str] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    sent: list[float] = field(default_factory=list)
    zombies: list[Operation] = field(default_factory=list)
    stuck: bool = False
    late_come_first: bool = True
    reuse_request_id: str | None = None
    _requests: int = 0

    @property
    def id(self) -> str:
        """The ARN of the stack, which another stack of the same name does not get."""
        unique = f"0f1e2d3c-0000-4000-8000-{self.incarnation:012}"
        return f"arn:aws:cloudformation:{self.region}:111122223333:stack/{self.name}/{unique}"

    # -- what a person does

    def deploy(
        self,
        template: Template,
        *,
        sibling_fails: bool = False,
        cancel: tuple[str, int] | None = None,
        rollback_sees_new_id: bool = True,
    ) -> bool:
        """Bring the stack to `template` or roll it back.

        `sibling_fails`: another resource fails when all of these are done. `cancel`: CloudFormation gives
        the named resource up after that many invocations.
        """
        before = dict(self.live)
        known: dict[str, list[Live]] = {}
        ok = True
        for logical, (kind, raw) in template.items():
            properties = stringify(raw)
            if logical in self.live and self.live[logical].properties == properties:
                continue
            steps = cancel[1] if cancel and cancel[0] == logical else None
            ok = self._apply(logical, kind, properties, known, steps)
            if not ok:
                break
        ok = ok and not sibling_fails
        if not ok:
            self._roll_back(before, known, sees_new_id=rollback_sees_new_id)
            return False
        for logical in reversed([name for name in self.live if name not in template]):
            known[logical] = [self.live.pop(logical)]
        self._clean_up(known)
        return True

    def leave(self) -> None:
        """Delete the stack of resources that have the deletion policy to stay: nobody hears of it."""
        self.kept += self.live.values()
        self.live.clear()

    def destroy(self) -> bool:
        """Delete everything; what fails stays, and another attempt may succeed."""
        for logical in reversed(list(self.live)):
            response = self._send("Delete", logical, self.live[logical])
            if response["Status"] == "FAILED":
                return False
            del self.live[logical]
        return True

    def drain(self) -> None:
        """Let every operation that nobody waits for come to its end."""
        while self.zombies:
            self.zombies.pop().run()

    def replay(self, index: int) -> None:
        """Deliver an old event once more; nobody listens to the answer."""
        Operation(self.world, copied(self.log[index])).run()

    def event(
        self, request_type: str, logical: str, live: Live, old: Properties | None = None
    ) -> dict[str, Any]:
        """An event as CloudFormation writes it."""
        self._requests += 1
        event = {
            "RequestType": request_type,
            "ServiceToken": "arn:aws:lambda:us-east-1:111122223333:function:provider",
            "ResponseURL": "https://cloudformation-custom-resource-response.example/?X-Amz-Signature=canary",
            "StackId": self.id,
            "RequestId": f"request-{self._requests:04d}",
            "LogicalResourceId": logical,
            "ResourceType": live.type,
            "ResourceProperties": live.properties,
        }
        if self.reuse_request_id and request_type != "Delete":
            event["RequestId"] = self.reuse_request_id
        if request_type != "Create":
            event["PhysicalResourceId"] = live.physical_id
        if old is not None:
            event["OldResourceProperties"] = old
        return copied(event)

    # -- what CloudFormation does

    def _apply(
        self, logical: str, kind: str, properties: Properties, known: dict[str, list[Live]], steps: int | None
    ) -> bool:
        old = self.live.get(logical)
        if old is None:
            wanted = Live(kind, "", properties)
            response = self._send("Create", logical, wanted, steps=steps)
        else:
            wanted = Live(kind, old.physical_id, properties)
            response = self._send("Update", logical, wanted, old=old.properties, steps=steps)
        physical_id = response["PhysicalResourceId"]
        known[logical] = ([old] if old else []) + [Live(kind, physical_id, properties)]
        self.live[logical] = known[logical][-1]
        return bool(response["Status"] == "SUCCESS")

    def _roll_back(self, before: dict[str, Live], known: dict[str, list[Live]], *, sees_new_id: bool) -> None:
        leftovers: dict[str, list[Live]] = {}
        for logical in reversed(list(known)):
            old, new = before.get(logical), known[logical][-1]
            if old is None:
                response = self._send("Delete", logical, new)
                if response["Status"] == "SUCCESS":
                    del self.live[logical]
                else:
                    self.stuck = True
                continue
            seen = Live(old.type, new.physical_id if sees_new_id else old.physical_id, old.properties)
            response = self._send("Update", logical, seen, old=new.properties)
            if response["Status"] == "FAILED":
                self.stuck = True
                self.abandoned.append(old)  # a person must continue the rollback: both exist until then
                continue
            self.live[logical] = Live(old.type, response["PhysicalResourceId"], old.properties)
            leftovers[logical] = [old, new]
        self._clean_up(dict(reversed(leftovers.items())))

    def _clean_up(self, known: dict[str, list[Live]]) -> None:
        for logical, versions in reversed(known.items()):  # what depends on others goes first
            current = self.live.get(logical)
            doomed = {
                v.physical_id: v for v in versions if not current or v.physical_id != current.physical_id
            }
            for live in doomed.values():
                if self._send("Delete", logical, live)["Status"] == "FAILED":
                    self.abandoned.append(live)

    def _send(
        self,
        request_type: str,
        logical: str,
        live: Live,
        *,
        old: Properties | None = None,
        steps: int | None = None,
    ) -> dict[str, Any]:
        event = self.event(request_type, logical, live, old)
        self.log.append(event)
        self.sent.append(self.world.now)
        running = [Operation(self.world, copied(event)) for _ in range(2 if self.duplicates else 1)]
        for number in itertools.count():
            if any(operation.response for operation in running):
                break
            if steps is not None and number >= steps:
                self.zombies += running
                # CloudFormation never heard an id: it makes one up for a Create.
                made_up = live.physical_id or f"{self.name}-{logical}-1ABCDEFGHIJKL"
                return {"Status": "FAILED", "PhysicalResourceId": made_up}
            # A second delivery comes one step late, and goes on when CloudFormation has moved on.
            late = [*self.zombies, *(running[1:] if running[0].waiter else [])]
            for operation in [*late, running[0]] if self.late_come_first else [running[0], *late]:
                if operation.response is None:
                    operation.step()
            self.world.now += _interval(number)
        self.zombies += [operation for operation in running if operation.response is None]
        response = next(operation.response for operation in running if operation.response)
        if response["Status"] == "FAILED":
            self.reasons.append(response["Message"])
        return response


def _interval(number: int) -> int:
    """Seconds between polls: the framework's ten, and longer ones for a wait that has become long."""
    return 10 if number < 20 else 150


def stringify(value: Any) -> Any:
    """What CloudFormation makes of property values."""
    if isinstance(value, dict):
        return {key: stringify(item) for key, item in value.items()}
    if isinstance(value, list):
        return [stringify(item) for item in value]
    return str(value).lower() if isinstance(value, bool) else str(value)
