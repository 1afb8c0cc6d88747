"""Inference schedulers: whether their schedules wake them, and what became of their latest windows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from l4e_cli.doctor.deployment import Deployment
from l4e_cli.doctor.finding import Finding, ok, problem
from l4e_cli.doctor.reading import LOOK_BACK, Account, Unread, pages, read
from l4e_cli.words import count

AREA = "Schedulers"
_MOST_READ = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheduler:
    """An inference scheduler.

    Args:
        name: its name.
        status: as the service calls it.
        schedule: state of its schedule in EventBridge Scheduler; None when there is none.
        failures: executions that failed in the last day.
        reason: why the latest of them did.
    """

    name: str
    status: str
    schedule: str | Unread | None
    failures: int | Unread = 0
    reason: str = ""


def collect(
    account: Account, deployment: Deployment, *, url: str, now: datetime
) -> Sequence[Scheduler] | Unread:
    """Read the schedulers of the service at `url`.

    The schedules come first: the service puts them right when it is asked for their schedulers.
    """
    schedules = _schedules(account, deployment)
    equipment = account.client("lookoutequipment", url=url)
    found = read("execute-api:Invoke", lambda: _listed(equipment))
    if isinstance(found, Unread):
        return found
    return [_scheduler(equipment, each, schedules, now) for each in found or ()]


def _schedules(account: Account, deployment: Deployment) -> Mapping[str, str] | Unread:
    """Return the state of each schedule by the uuid of its scheduler, which its name ends in."""
    client = account.client("scheduler")
    states: dict[str, str] = {}
    for group in deployment.of("AWS::Scheduler::ScheduleGroup"):
        found = read("scheduler:ListSchedules", partial(_states, client, group))
        if isinstance(found, Unread):
            return found
        states |= found or {}
    return states


def _states(client: Any, group: str) -> dict[str, str]:
    return {
        each["Name"].removeprefix(f"{group}-"): each["State"]
        for each in pages(client, "list_schedules", "Schedules", GroupName=group)
    }


def _listed(equipment: Any) -> list[Any]:
    """Return all schedulers: botocore has no paginator for them."""
    page = equipment.list_inference_schedulers()
    found = list(page["InferenceSchedulerSummaries"])
    while token := page.get("NextToken"):
        page = equipment.list_inference_schedulers(NextToken=token)
        found += page["InferenceSchedulerSummaries"]
    return found


def _scheduler(
    equipment: Any, summary: Any, schedules: Mapping[str, str] | Unread, now: datetime
) -> Scheduler:
    name = summary["InferenceSchedulerName"]
    uuid = summary["InferenceSchedulerArn"].rpartition("/")[2]
    failed = read("execute-api:Invoke", lambda: _failed(equipment, name, now))
    known = [] if failed is None or isinstance(failed, Unread) else failed
    latest = max(known, key=lambda each: each["DataEndTime"], default=None)
    return Scheduler(
        name=name,
        status=summary["Status"],
        schedule=schedules if isinstance(schedules, Unread) else schedules.get(uuid),
        failures=failed if isinstance(failed, Unread) else len(known),
        reason="" if latest is None else latest.get("FailedReason", ""),
    )


def _failed(equipment: Any, name: str, now: datetime) -> list[Any]:
    found: list[Any] = equipment.list_inference_executions(
        InferenceSchedulerName=name,
        Status="FAILED",
        DataStartTimeAfter=now - LOOK_BACK,
        MaxResults=_MOST_READ,
    )["InferenceExecutionSummaries"]
    return found


def running(schedulers: Sequence[Scheduler] | Unread) -> int:
    """Return how many schedulers run, as far as could be read."""
    return 0 if isinstance(schedulers, Unread) else sum(each.status == "RUNNING" for each in schedulers)


def check(schedulers: Sequence[Scheduler] | Unread) -> Iterator[Finding]:
    """Yield what the facts mean."""
    if isinstance(schedulers, Unread):
        yield schedulers.finding("schedulers")
        return
    wrong = [finding for each in schedulers for finding in _faults(each)]
    yield from wrong
    if not wrong:
        yield ok(
            "schedulers",
            f"{count(len(schedulers), 'scheduler')}, {running(schedulers)} running, none failed in a day",
        )


def _faults(scheduler: Scheduler) -> Iterator[Finding]:
    restart = f"stop the inference scheduler {scheduler.name} and start it again"
    runs = scheduler.status == "RUNNING"
    match scheduler.schedule:
        case Unread() as unread:
            yield unread.finding("schedules")
        case None if runs:
            yield problem(
                "schedules", f"{scheduler.name} runs, but has no schedule that wakes it", fix=restart
            )
        case "DISABLED" if runs:
            yield problem("schedules", f"{scheduler.name} runs, but its schedule is disabled", fix=restart)
    if isinstance(scheduler.failures, Unread):
        yield scheduler.failures.finding("executions")
    elif scheduler.failures:
        most = "or more " if scheduler.failures == _MOST_READ else ""
        yield problem(
            "executions",
            f"{scheduler.name}: {count(scheduler.failures, 'window')} {most}of the last day failed; "
            f"the latest: {scheduler.reason}",
            fix="do what the reason says; windows that are missed are caught up",
        )
