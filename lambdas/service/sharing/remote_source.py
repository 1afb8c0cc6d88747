"""A service of another account or Region as the source of imports.

What it shares is asked for at the path `import` of its API, in requests signed by this service, and its
objects are read by short-lived addresses that it signs, one for each. So neither has rights on data of the
other.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

from service.errors import ApiError, DeniedError, NotFoundError, ThrottlingError, ValidationError
from service.sharing.resource_policy import Principal
from service.sharing.shared import Shared
from service.storage.service_bucket import ServiceBucket, encryption

SHARE_DATASET = "ShareDataset"
SHARE_VERSION = "ShareModelVersion"
OWNER_HEADER = "x-amz-expected-bucket-owner"
_ATTEMPTS = 3
_SECONDS = 8
_FIRST_SERVER_FAULT = 500
_OK = 200
_GONE = 404
_ERRORS: Mapping[str, type[ApiError]] = {
    error.code: error for error in (DeniedError, NotFoundError, ThrottlingError, ValidationError)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteSource:
    """A service that shares with this one.

    Attributes:
        account: its account.
        region: its Region.
        url: the path `import` of its API.
    """

    account: str
    region: str
    url: str

    def share_dataset(self, arn: str, principal: Principal, *, with_objects: bool) -> Shared:
        """Return the data of a dataset: see `Owner`."""
        asked = {"Action": SHARE_DATASET, "Arn": arn, "Principal": principal.arn, "WithObjects": with_objects}
        return self._share(asked)

    def share_version(self, arn: str, principal: Principal, *, with_data: bool, with_objects: bool) -> Shared:
        """Return a model version: see `Owner`."""
        asked = {
            "Action": SHARE_VERSION,
            "Arn": arn,
            "Principal": principal.arn,
            "WithData": with_data,
            "WithObjects": with_objects,
        }
        return self._share(asked)

    def copy(self, key: str, to: ServiceBucket, to_key: str) -> int:
        """Copy the object at an address, and return its bytes.

        Raises:
            NotFoundError: when it is gone.
            OSError: when it cannot be read.
        """
        request = AWSRequest(method="GET", url=key, headers={OWNER_HEADER: self.account}, stream_output=True)
        reply = _http().send(request.prepare())
        if reply.status_code == _GONE:
            raise NotFoundError("an object was deleted while it was imported: import it again")
        if reply.status_code != _OK:
            raise OSError(f"reading an object of account {self.account} was answered {reply.status_code}")
        to.s3.upload_fileobj(reply.raw, to.name, to_key, ExtraArgs=encryption(to.kms_key))
        return int(reply.headers["Content-Length"])

    def _share(self, asked: Mapping[str, Any]) -> Shared:
        status, body = self._post(json.dumps(asked).encode())
        if status == _OK:
            return Shared(facts=body["Facts"], objects=body["Objects"])
        code, text = body.get("__type", "").rpartition("#")[2], body.get("Message") or body.get("message")
        if code in _ERRORS:
            raise _ERRORS[code](str(text))
        raise DeniedError(
            f"the service of account {self.account} in Region {self.region} does not answer ({status}: "
            f"{text}): its importable_by must have the account of this service, and import_sources of this "
            "one its API"
        )

    def _post(self, content: bytes) -> tuple[int, dict[str, Any]]:
        """Return status and document of the reply to a signed request, tried again when the server fails."""
        credentials = boto3.Session().get_credentials()
        if credentials is None:
            raise DeniedError("this service has no credentials to sign a request with")
        headers = {"Content-Type": "application/x-amz-json-1.0"}
        for left in reversed(range(_ATTEMPTS)):
            request = AWSRequest(method="POST", url=self.url, data=content, headers=headers)
            SigV4Auth(credentials, "execute-api", self.region).add_auth(request)
            reply = _http().send(request.prepare())
            if reply.status_code < _FIRST_SERVER_FAULT or not left:
                break
        try:
            found = json.loads(reply.content, parse_float=Decimal)
        except ValueError:
            found = {}
        return reply.status_code, found if isinstance(found, dict) else {}


def _http() -> URLLib3Session:
    """Return an HTTP session that trusts the authorities that AWS's clients are told to trust."""
    trusted: Any = os.environ.get("AWS_CA_BUNDLE") or True  # the stubs do not know that it may be a file
    return URLLib3Session(verify=trusted, timeout=_SECONDS)
