"""`l4e doctor`: reads an account area by area, and shows what it found."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.exceptions import BotoCoreError, ClientError

from l4e_cli.doctor import (
    alarms,
    api,
    deployment,
    functions,
    identity,
    jobs,
    quotas,
    schedulers,
    state,
    trial,
)
from l4e_cli.doctor.deployment import Deployment
from l4e_cli.doctor.finding import Finding, not_checked, problem
from l4e_cli.doctor.identity import Caller
from l4e_cli.doctor.reading import Account
from l4e_cli.doctor.report import Area, conclude, document, show
from l4e_cli.terminal import Terminal

_ACCESS_ROLE_PATH = "/lookoutequipment/"
"""Path of the roles that the service assumes, unless its settings name another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says.

    Args:
        stack: the stack that has the service.
        region: Region; None for that of the caller's AWS settings.
        qualifier: qualifier of the CDK bootstrap stack.
        write: whether to try what changes something.
        bucket: bucket for trials; None for that of the stack.
        as_json: whether to write one JSON object.
    """

    stack: str
    region: str | None
    qualifier: str
    write: bool
    bucket: str | None
    as_json: bool


def doctor(terminal: Terminal, options: Options) -> bool:
    """Look at the account and the service in it, show what was found, and return whether nothing is wrong."""
    areas = []
    for area in _areas(options):
        areas.append(area)
        if not options.as_json:
            show(terminal, area)
    if options.as_json:
        terminal.out.file.write(json.dumps(document(areas), indent=2) + "\n")
    else:
        conclude(terminal, areas)
    return not any(area.of("problem") for area in areas)


def _areas(options: Options) -> Iterator[Area]:
    """Yield one area after the other; those that there is nothing to look at for are left out."""
    account = Account.of(options.region)
    caller = _caller(account)
    if isinstance(caller, Finding):
        yield _area(identity.AREA, [caller])
        return
    who = identity.collect(account, caller=caller, qualifier=options.qualifier)
    yield _area(identity.AREA, identity.check(who))
    stack = deployment.collect(account, options.stack)
    yield _area(deployment.AREA, deployment.check(stack, stack=options.stack))
    if isinstance(stack, Deployment) and stack.has_service:
        yield from _of_service(account, stack, options)
    else:
        facts = quotas.collect(account, None, schedulers=0, memory_mib=None)
        yield _area(quotas.AREA, quotas.check(facts))


def _caller(account: Account) -> Caller | Finding:
    """Return who asks, or what is wrong with the credentials or the Region."""
    check = "credentials"
    if account.region is None:
        return problem(check, "there is no Region", fix="pass --region, or set AWS_DEFAULT_REGION")
    try:
        found = account.client("sts").get_caller_identity()
    except (BotoCoreError, ClientError) as error:
        return problem(check, f"{error}", fix="set credentials for the account, such as AWS_PROFILE")
    return Caller(arn=found["Arn"], account=found["Account"], region=account.region)


def _of_service(account: Account, stack: Deployment, options: Options) -> Iterator[Area]:
    now = datetime.now(UTC)
    yield _area(state.AREA, state.check(state.collect(account, stack)))
    code = functions.collect(account, stack)
    yield _area(functions.AREA, functions.check(code))
    called = api.collect(account, stack)
    url = called.answer.url
    yield _area(api.AREA, api.check(called, stack=stack.name))
    found = schedulers.collect(account, stack, url=url, now=now)
    yield _area(schedulers.AREA, schedulers.check(found))
    yield _area(jobs.AREA, jobs.check(jobs.collect(account, stack, now=now)))
    raised = alarms.collect(account, namespace=code.variable("L4E_METRIC_NAMESPACE"))
    yield _area(alarms.AREA, alarms.check(raised))
    facts = quotas.collect(
        account, stack, schedulers=schedulers.running(found), memory_mib=code.largest_memory_mib
    )
    yield _area(quotas.AREA, quotas.check(facts))
    if options.write:
        yield _area(trial.AREA, _trial(account, stack, code, options, url))


def _area(name: str, findings: Iterable[Finding]) -> Area:
    """Return an area, in which what holds for many resources alike is said once."""
    return Area(name=name, findings=list(dict.fromkeys(findings)))


def _trial(
    account: Account, stack: Deployment, code: functions.Facts, options: Options, url: str
) -> Iterator[Finding]:
    data = options.bucket or stack.outputs.get("DataBucket")
    role = code.role_of_jobs
    bucket = options.bucket or code.variable("L4E_BUCKET")
    if bucket is None or role is None:
        yield not_checked("trial", "the functions of the service could not be read")
        return
    s3 = account.client("s3")
    yield trial.try_upload(s3, bucket)
    if data is None:
        yield not_checked(
            "training", "the stack has no output DataBucket", fix="name a bucket for its rows with --bucket"
        )
        return
    settings = json.loads(code.variable("L4E_SETTINGS") or "{}")
    yield trial.try_training(
        trial.Clients(
            s3=s3, iam=account.client("iam"), equipment=account.client("lookoutequipment", url=url)
        ),
        trial.Place(
            bucket=data,
            job_role_arn=role,
            access_role_path=settings.get("access_role_path", _ACCESS_ROLE_PATH),
            region=str(account.region),
        ),
    )
