"""A look at every request to S3 on its way out: which bucket, and which account must own it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from botocore.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class S3Call:
    """A request for a bucket or an object in it; `owner` is None when it names none."""

    operation: str
    url: str
    owner: str | None


@contextmanager
def s3_calls() -> Iterator[list[S3Call]]:
    """Note the requests of all clients of this process, whoever made them."""
    calls: list[S3Call] = []
    make = Endpoint.make_request

    def noted(self: Endpoint, operation_model: Any, request: dict[str, Any]) -> Any:
        names = operation_model.input_shape.members if operation_model.input_shape else {}
        if operation_model.service_model.service_name == "s3" and "Bucket" in names:
            owner = request["headers"].get("x-amz-expected-bucket-owner")
            calls.append(S3Call(operation_model.name, request["url"], owner))
        return make(self, operation_model, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Endpoint, "make_request", noted)
        yield calls
