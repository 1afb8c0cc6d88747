"""Who asks, and whether the Region is ready for the CDK."""

from collections.abc import Iterator
from dataclasses import dataclass

from l4e_cli.doctor.finding import Finding, not_checked, ok, problem
from l4e_cli.doctor.reading import Account, Unread, read

AREA = "Account"
_OLDEST_BOOTSTRAP = 6
"""What the CDK asks for in the assemblies that it writes for the default synthesizer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, and where."""

    arn: str
    account: str
    region: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Who asks. `bootstrap` is the version of the CDK bootstrap stack, None without one."""

    caller: Caller
    bootstrap: str | Unread | None


def collect(account: Account, *, caller: Caller, qualifier: str) -> Facts:
    """Read the version of the bootstrap stack with a qualifier."""
    parameter = f"/cdk-bootstrap/{qualifier}/version"
    ssm = account.client("ssm")
    return Facts(
        caller=caller,
        bootstrap=read(
            "ssm:GetParameter", lambda: str(ssm.get_parameter(Name=parameter)["Parameter"]["Value"])
        ),
    )


def check(facts: Facts) -> Iterator[Finding]:
    """Yield what the facts mean."""
    yield ok("credentials", f"{facts.caller.arn} in {facts.caller.region}")
    yield _bootstrap(facts)


def _bootstrap(facts: Facts) -> Finding:
    caller = facts.caller
    name, fix = "CDK bootstrap", f"cdk bootstrap aws://{caller.account}/{caller.region}"
    match facts.bootstrap:
        case Unread() as unread:
            return unread.finding(name)
        case None:
            return problem(name, f"{caller.region} is not bootstrapped, so nothing can be deployed", fix=fix)
        case version if not version.isdecimal():
            return not_checked(name, f"its version reads {version!r}, which is not a number", fix=fix)
        case version if int(version) < _OLDEST_BOOTSTRAP:
            return problem(name, f"version {version} is older than {_OLDEST_BOOTSTRAP}", fix=fix)
        case version:
            return ok(name, f"version {version}")
