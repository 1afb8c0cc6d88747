"""Page tokens: where a list goes on, signed for the caller and the request that a token is given to.

The key is a record of the table, made by the first list that needs it. Who deletes that record makes all
tokens void, and the next list makes another key.
"""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from service.context import Context
from service.errors import ValidationError
from service.storage.names import PAGE_TOKENS, SIGNING_KEY
from service.storage.records import SigningKeyRecord
from service.storage.store import AlreadyExists

_PAGE_MEMBERS = {"NextToken", "MaxResults"}
_KEY_BYTES = 32
_SHOWN = 100
"""Characters of a refused token in a message."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTokens:
    """The tokens of one list request: those of other operations, filters or callers are not among them."""

    key: bytes
    operation: str
    filters: Mapping[str, str]
    caller: str

    @classmethod
    def of(cls, context: Context, operation: str, request: Mapping[str, Any]) -> "PageTokens":
        """Return the tokens of a request to a list operation, from the caller of the context."""
        filters = {name: str(value) for name, value in request.items() if name not in _PAGE_MEMBERS}
        return cls(key=_signing_key(context), operation=operation, filters=filters, caller=context.caller)

    def at(self, position: str) -> str:
        """Return the token of the page that begins behind a position."""
        return base64.urlsafe_b64encode(self._signature(position) + position.encode()).decode()

    def position(self, token: str) -> str:
        """Return the position that a token stands for.

        Raises:
            ValidationError: when the token was not made for this request and caller.
        """
        try:
            signed = base64.urlsafe_b64decode(token)
            signature, position = (
                signed[: hashlib.sha256().digest_size],
                signed[hashlib.sha256().digest_size :],
            )
            if hmac.compare_digest(signature, self._signature(position.decode())):
                return position.decode()
        except ValueError:  # neither base64 nor, inside, UTF-8
            pass
        raise ValidationError(
            f"NextToken '{token[:_SHOWN]}' was not returned by {self.operation} with these filters to this "
            "caller: repeat the request without NextToken, or with the filters and the identity of the first "
            "page"
        )

    def _signature(self, position: str) -> bytes:
        signed = json.dumps([self.operation, self.filters, self.caller, position], sort_keys=True)
        return hmac.digest(self.key, signed.encode(), "sha256")


def _signing_key(context: Context) -> bytes:
    found = context.records.signing_key(PAGE_TOKENS)
    if found is None:
        made: SigningKeyRecord = {
            "pk": SIGNING_KEY,
            "sk": PAGE_TOKENS,
            "secret": secrets.token_hex(_KEY_BYTES),
            "CreatedAt": context.timestamp(),
        }
        with suppress(AlreadyExists):  # another list was first: its key counts
            context.store.create(made)
        return _signing_key(context)
    return bytes.fromhex(found["secret"])
