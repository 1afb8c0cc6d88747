"""The API function: one Lambda behind API Gateway that performs every operation."""

import logging
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import boto3
from botocore.config import Config

from service.context import Context
from service.customer.bucket_owners import BucketOwners
from service.operations import (
    dataset_imports,
    datasets,
    inference_events,
    inference_executions,
    ingestion_jobs,
    label_groups,
    labels,
    model_versions,
    models,
    resource_policies,
    retraining_schedulers,
    schedulers,
    sensor_statistics,
    tags,
    version_imports,
)
from service.requests import audit
from service.requests.authorization import require_allowed
from service.requests.caller import Caller
from service.requests.way_in import is_for_importers, way_in_of
from service.requests.wire import Exchange, answer
from service.settings import Environment
from service.sharing.sharing_api import share

Operation = Callable[[Context, dict[str, Any]], Mapping[str, Any]]

OPERATIONS: Mapping[str, Operation] = {
    **datasets.OPERATIONS,
    **ingestion_jobs.OPERATIONS,
    **sensor_statistics.OPERATIONS,
    **dataset_imports.OPERATIONS,
    **models.OPERATIONS,
    **model_versions.OPERATIONS,
    **version_imports.OPERATIONS,
    **retraining_schedulers.OPERATIONS,
    **schedulers.OPERATIONS,
    **inference_executions.OPERATIONS,
    **inference_events.OPERATIONS,
    **label_groups.OPERATIONS,
    **labels.OPERATIONS,
    **resource_policies.OPERATIONS,
    **tags.OPERATIONS,
}
"""The operations of the service model, by name."""

_CLIENTS = Config(connect_timeout=3, read_timeout=8, retries={"mode": "standard", "total_max_attempts": 3})
"""API Gateway gives up after 29 s: calls of other AWS services must end before that."""


_OF_S3 = Config(signature_version="s3v4")
"""Addresses of objects under a KMS key need this signature, and boto3 may choose another for addresses."""


def handler(event: Mapping[str, Any], _lambda_context: object) -> dict[str, Any]:
    """Answer an API Gateway (REST) proxy event."""
    return respond(event, current_context())


def respond(event: Mapping[str, Any], context: Context) -> dict[str, Any]:
    """Answer a proxy event within `context`, and write the audit record of the call."""
    caller = Caller.of(event)
    called = context.called_by(caller.principal)

    def record(exchange: Exchange) -> None:
        audit.write(audit.record(exchange, caller, called))

    if is_for_importers(event):
        return share(event, called, caller, record)

    def call(name: str, request: dict[str, Any]) -> Mapping[str, Any]:
        within = replace(called, way_in=way_in_of(event))
        require_allowed(within, name, request)
        return OPERATIONS[name](within, request)

    return answer(event, call, record)


@cache
def current_context() -> Context:
    """Return the context of this function, from its environment; made once per process."""
    logging.getLogger("service").setLevel(logging.INFO)
    session = boto3.Session()
    environment = Environment.read(os.environ)

    @cache
    def client(service: str) -> Any:
        config = _CLIENTS.merge(_OF_S3) if service == "s3" else _CLIENTS
        made: Any = session.client(service, config=config)  # type: ignore[call-overload]  # name known at run time only
        return BucketOwners(account=environment.account).required_by(made) if service == "s3" else made

    return Context.create(environment, client)
