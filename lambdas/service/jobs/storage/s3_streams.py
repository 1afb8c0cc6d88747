"""S3 objects as files: read and written in parts, some at once, and never held as a whole.

Memory and disk of a function are smaller than its largest objects, and both readers and writers of the engine
take files. `pyarrow.fs.S3FileSystem` is not there: the pyarrow of the Lambda layer is built without S3. What
boto3's transfers would lack is said at each stream.

One connection to S3 carries 85 to 90 MB/s, says its performance guide, and it advises parts of 8 to 16 MB.
"""

import base64
import io
import zlib
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, BinaryIO, cast

from botocore.exceptions import HTTPClientError, IncompleteReadError

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 8 << 20
_ATTEMPTS = 5
_AT_ONCE = 3
_TAIL_BYTES = 64 << 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectVersion:
    """One version of an object of `size` bytes; reading it fails when another one has replaced it."""

    s3: "S3Client"
    bucket: str
    key: str
    etag: str
    size: int

    def parts(self, start: int, end: int) -> list[range]:
        """Return the offsets from `start` to before `end`, in pieces of at most a part."""
        return [range(at, min(at + PART_BYTES, end)) for at in range(start, end, PART_BYTES)]

    def read(self, part: range) -> bytes:
        """Return the bytes of a piece; a broken connection is tried again.

        Raises:
            RuntimeError: when the connection broke five times.
            ClientError: when S3 refuses; code `PreconditionFailed` when the object was replaced.
        """
        for left in reversed(range(_ATTEMPTS)):
            try:
                reply = self.s3.get_object(
                    Bucket=self.bucket,
                    Key=self.key,
                    Range=f"bytes={part.start}-{part.stop - 1}",
                    IfMatch=self.etag,
                )
                return reply["Body"].read()
            except (HTTPClientError, IncompleteReadError) as error:
                failure = error
                if not left:
                    break
        raise RuntimeError(f"reading 's3://{self.bucket}/{self.key}' broke {_ATTEMPTS} times") from failure


def read_forward(s3: "S3Client", bucket: str, key: str) -> io.RawIOBase:
    """Return an object as a file to read from start to end: a large one in parts, others in one request."""
    reply = s3.get_object(Bucket=bucket, Key=key)
    size = reply.get("ContentLength", 0)
    if size <= 2 * PART_BYTES:
        return _SmallObject(s3, bucket, key, body=reply["Body"], etag=reply["ETag"])
    reply["Body"].close()
    return read_in_parts(ObjectVersion(s3=s3, bucket=bucket, key=key, etag=reply["ETag"], size=size))


def read_in_parts(version: ObjectVersion) -> io.RawIOBase:
    """Return the object as a file to read from start to end; the next parts are fetched while one is read."""
    return _PartStream(version)


def read_anywhere(s3: "S3Client", bucket: str, key: str) -> BinaryIO:
    """Return the object, which must not be empty, as a file to read anywhere.

    Its end, where Parquet has its index, is fetched at once: a small object needs no other request. The rest
    is fetched when it is asked for, large pieces in parts at once.
    """
    reply = s3.get_object(Bucket=bucket, Key=key, Range=f"bytes=-{_TAIL_BYTES}")
    size = int(reply["ContentRange"].rpartition("/")[2])
    version = ObjectVersion(s3=s3, bucket=bucket, key=key, etag=reply["ETag"], size=size)
    return cast("BinaryIO", _SeekableObject(version, reply["Body"].read()))


class _SmallObject(io.RawIOBase):
    """A small object to read from start to end; after a broken connection it goes on in the same version.

    `download_fileobj` would fill a file first, and botocore's StreamingBody does not resume.
    """

    def __init__(self, s3: "S3Client", bucket: str, key: str, *, body: Any, etag: str) -> None:
        super().__init__()
        self._s3, self._bucket, self._key = s3, bucket, key
        self._body, self._etag = body, etag
        self._position, self._left = 0, _ATTEMPTS

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while True:
            try:
                chunk = self._body.read(len(buffer))
            except (HTTPClientError, IncompleteReadError) as error:
                self._left -= 1
                if self._left <= 0:
                    raise RuntimeError(
                        f"reading 's3://{self._bucket}/{self._key}' broke {_ATTEMPTS} times"
                    ) from error
                self._body.close()
                self._body = self._s3.get_object(
                    Bucket=self._bucket, Key=self._key, Range=f"bytes={self._position}-", IfMatch=self._etag
                )["Body"]
            else:
                buffer[: len(chunk)] = chunk
                self._position += len(chunk)
                return len(chunk)

    def close(self) -> None:
        if not self.closed:
            self._body.close()
        super().close()


class _PartStream(io.RawIOBase):
    """A large object to read from start to end, the next three parts on their way.

    `download_fileobj` pushes into a file that holds the whole object, where the CSV reader pulls.
    """

    def __init__(self, version: ObjectVersion) -> None:
        super().__init__()
        self._version = version
        self._parts = iter(version.parts(0, version.size))
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._coming: deque[Future[bytes]] = deque()
        self._part = memoryview(b"")
        self._order()

    def _order(self) -> None:
        while len(self._coming) < _AT_ONCE and (part := next(self._parts, None)) is not None:
            self._coming.append(self._pool.submit(self._version.read, part))

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        if not self._part and self._coming:
            self._part = memoryview(self._coming.popleft().result())
            self._order()
        size = min(len(buffer), len(self._part))
        buffer[:size] = self._part[:size]
        self._part = self._part[size:]
        return size

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        super().close()


class _SeekableObject(io.RawIOBase):
    """An object to read anywhere, of which only what is asked for is fetched.

    `download_fileobj` would copy all parts of a component to a disk that does not hold them.
    """

    def __init__(self, version: ObjectVersion, tail: bytes) -> None:
        super().__init__()
        self._version, self._tail, self._position = version, tail, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._position

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._position = offset + (0, self._position, self._version.size)[whence]
        return self._position

    def read(self, size: int = -1, /) -> bytes:
        start, whole = self._position, self._version.size
        end = whole if size < 0 else min(whole, start + size)
        self._position = max(start, end)
        before_tail = whole - len(self._tail)
        if start >= before_tail:
            return self._tail[start - before_tail : max(start, end) - before_tail]
        parts = self._version.parts(start, end)
        if len(parts) <= 1:
            return b"".join(map(self._version.read, parts))
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return b"".join(pool.map(self._version.read, parts))

    def readinto(self, buffer: Any, /) -> int:
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)


@contextmanager
def write_in_parts(s3: "S3Client", bucket: str, key: str, extra: Mapping[str, Any]) -> Iterator[BinaryIO]:
    """Yield a file that becomes the object when the block ends well, sent part by part while it is written.

    `extra` are members of the request, such as those of encryption.
    """
    upload = _Upload(s3, bucket, key, extra)
    try:
        yield cast("BinaryIO", upload)
        upload.finish()
    except BaseException:
        upload.abandon()
        raise


class _Upload(io.RawIOBase):
    """An object that is written from start to end, at most three parts on their way.

    `upload_fileobj` pulls from a file that holds the whole object, where Parquet's writer pushes.

    S3 checks the sum of each part. The algorithm is named when the upload begins, and the sums are repeated
    when it ends: S3 may refuse an upload that does not say the same at all three, and what boto3 adds by
    itself depends on its version.
    """

    def __init__(self, s3: "S3Client", bucket: str, key: str, extra: Mapping[str, Any]) -> None:
        super().__init__()
        self._s3, self._bucket, self._key, self._extra = s3, bucket, key, extra
        self._pool = ThreadPoolExecutor(_AT_ONCE)
        self._buffer, self._written = bytearray(), 0
        self._id = ""
        self._sent: list[Future[CompletedPartTypeDef]] = []

    def writable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._written

    def write(self, data: Any, /) -> int:
        size = memoryview(data).nbytes
        self._buffer += data
        self._written += size
        if len(self._buffer) >= PART_BYTES:
            self._send()
        return size

    def close(self) -> None:
        """Nothing: a writer closes its file whether it is complete or not."""

    def finish(self) -> None:
        if not self._id:
            body = bytes(self._buffer)
            self._s3.put_object(Bucket=self._bucket, Key=self._key, Body=body, **self._extra)
        else:
            if self._buffer:
                self._send()
            self._s3.complete_multipart_upload(
                Bucket=self._bucket,
                Key=self._key,
                UploadId=self._id,
                MultipartUpload={"Parts": [sent.result() for sent in self._sent]},
            )
        self._pool.shutdown()

    def abandon(self) -> None:
        self._pool.shutdown(cancel_futures=True)
        if self._id:
            self._s3.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._id)

    def _send(self) -> None:
        if not self._id:
            reply = self._s3.create_multipart_upload(
                Bucket=self._bucket, Key=self._key, ChecksumAlgorithm="CRC32", **self._extra
            )
            self._id = reply["UploadId"]
        if len(self._sent) >= _AT_ONCE:
            self._sent[-_AT_ONCE].result()
        body, self._buffer = bytes(self._buffer), bytearray()
        self._sent.append(self._pool.submit(self._send_part, len(self._sent) + 1, body))

    def _send_part(self, number: int, body: bytes) -> "CompletedPartTypeDef":
        checksum = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
        reply = self._s3.upload_part(
            Bucket=self._bucket,
            Key=self._key,
            UploadId=self._id,
            PartNumber=number,
            Body=body,
            ChecksumCRC32=checksum,
        )
        return {"ETag": reply["ETag"], "PartNumber": number, "ChecksumCRC32": checksum}
