"""The API: its stage, a signed call, and the settings of the shell that asks."""

import os
from collections.abc import Iterator
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError, ClientError, UnknownServiceError

from l4e_cli.client_settings import ENDPOINT_VARIABLE, api_url
from l4e_cli.doctor.deployment import REPAIR, Deployment
from l4e_cli.doctor.finding import Finding, not_checked, ok, problem
from l4e_cli.doctor.reading import Account, Unread, read

AREA = "API"
_SIGNING_NAME = "execute-api"
_DENIED = frozenset({"AccessDeniedException", "403", "ForbiddenException"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of a call: code and message of the error, both empty when it succeeded.

    Args:
        url: where the call went.
        code: of the error; `no answer` when there was none.
        message: of the error.
    """

    url: str
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shell:
    """What a client without settings of its own would do here.

    Args:
        endpoint: the address that it would call; None for AWS's retired service.
        signing_name: what it would sign for; None when its botocore does not know the service.
    """

    endpoint: str | None
    signing_name: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The API of a stack; `private` when it can be reached from inside a VPC alone."""

    stage: str | Unread | None
    private: bool
    answer: Answer
    shell: Shell


def collect(account: Account, deployment: Deployment) -> Facts:
    """Read the facts, and list the datasets."""
    gateway, api = account.client("apigateway"), deployment.rest_api
    stage = read(
        "apigateway:GET",
        lambda: str(gateway.get_stage(restApiId=api, stageName=deployment.stage)["stageName"]),
    )
    rest_api = read("apigateway:GET", lambda: gateway.get_rest_api(restApiId=api))
    types = (
        ()
        if rest_api is None or isinstance(rest_api, Unread)
        else rest_api.get("endpointConfiguration", {}).get("types", ())
    )
    return Facts(
        stage=stage,
        private="PRIVATE" in types,
        answer=_answer(account, _url(account, deployment)),
        shell=shell_of(account.region),
    )


def _url(account: Account, deployment: Deployment) -> str:
    return api_url(
        api_id=deployment.rest_api,
        stage=deployment.stage or "",
        region=str(account.region),
        emulator_endpoint=os.environ.get("AWS_ENDPOINT_URL"),
    )


def _answer(account: Account, url: str) -> Answer:
    """Call the API as whoever may do everything, else as whoever may read."""
    answer = _call(account, url)
    return _call(account, f"{url}/read") if answer.code in _DENIED else answer


def _call(account: Account, url: str) -> Answer:
    try:
        account.client("lookoutequipment", url=url).list_datasets(MaxResults=1)
    except ClientError as error:
        told = error.response["Error"]
        return Answer(url=url, code=told["Code"], message=told.get("Message", ""))
    except BotoCoreError as error:
        return Answer(url=url, code="no answer", message=str(error))
    return Answer(url=url)


def shell_of(region: str | None) -> Shell:
    """Return what boto3 and the AWS CLI would do with the settings of this shell."""
    try:
        client = boto3.Session(region_name=region).client("lookoutequipment")
    except UnknownServiceError:
        return Shell(endpoint=os.environ.get(ENDPOINT_VARIABLE), signing_name=None)
    url = client.meta.endpoint_url
    model = client.meta.service_model
    retired = url.startswith(f"https://lookoutequipment.{client.meta.region_name}.")
    return Shell(
        endpoint=None if retired or url == os.environ.get("AWS_ENDPOINT_URL") else url,
        signing_name=model.signing_name,
    )


def check(facts: Facts, *, stack: str) -> Iterator[Finding]:
    """Yield what the facts mean."""
    match facts.stage:
        case Unread() as unread:
            yield unread.finding("stage")
        case None:
            yield problem(
                "stage",
                "the API has no stage, so it has no address",
                fix=REPAIR,
            )
        case stage:
            yield ok("stage", stage)
    yield _signed_call(facts)
    yield _shell(facts, stack=stack)


def _signed_call(facts: Facts) -> Finding:
    name, answer = "signed call", facts.answer
    if not answer.code:
        return ok(name, f"ListDatasets at {answer.url}")
    if answer.code == "no answer" and facts.private:
        return not_checked(
            name,
            f"the API is private, and not reached from here: {answer.message}",
            fix="run this in the VPC of its interface endpoint",
        )
    text, fix = _refusal(answer)
    return problem(name, text, fix=fix)


def _refusal(answer: Answer) -> tuple[str, str]:
    """Return what an error means, and what to do."""
    told = f"{answer.code} {answer.message}".strip()
    match answer.code:
        case "no answer":
            return (
                f"{answer.url} does not answer: {answer.message}",
                "look at name resolution, proxy and certificates of this network",
            )
        case code if code in _DENIED and "execute-api:Invoke" in answer.message:
            return (
                f"these credentials may not call the API: {answer.message}",
                "grant them a way in, such as service.grant_read(role)",
            )
        case code if code in _DENIED:
            return (
                f"the API refused the call: {told}",
                "see whether the account knows the access key, and what a policy of the API denies",
            )
        case "InvalidSignatureException" | "SignatureDoesNotMatch":
            return (
                f"API Gateway does not accept the signature: {told}",
                "see whether the secret key and the clock of this machine are right",
            )
        case "ExpiredTokenException" | "ExpiredToken":
            return told, "get new credentials"
        case _:
            return f"the API answered {told}", "see the log of the API function"


def _shell(facts: Facts, *, stack: str) -> Finding:
    name, shell = "client settings", facts.shell
    fix = f"run what `l4e configure --stack {stack}` prints"
    if shell.endpoint is None:
        return not_checked(name, f"{ENDPOINT_VARIABLE} is not set in this shell", fix=fix)
    if shell.signing_name is None:
        return problem(name, "boto3 does not know the service, and is not told of it in this shell", fix=fix)
    if shell.signing_name != _SIGNING_NAME:
        return problem(
            name,
            f"boto3 would sign for {shell.signing_name!r}, where API Gateway wants {_SIGNING_NAME!r}",
            fix=fix,
        )
    return ok(name, f"boto3 calls {shell.endpoint}, signed for {shell.signing_name}")
