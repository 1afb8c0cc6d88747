"""Objects as files on the embedded AWS: parts, versions, uploads that end or do not."""

import base64
import io
import random
import zlib
from collections import defaultdict
from dataclasses import replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from botocore.exceptions import ClientError

from service.jobs.storage.s3_streams import (
    PART_BYTES,
    ObjectVersion,
    read_anywhere,
    read_in_parts,
    write_in_parts,
)
from tests.embedded import EmbeddedAws
from tests.service.jobs.world import World


def put(world: World, key: str, size: int) -> bytes:
    data = random.Random(size).randbytes(size)  # noqa: S311 - test data
    world.upload(key, data)
    return data


@pytest.mark.parametrize("size", [0, 1, PART_BYTES, 3 * PART_BYTES + 7])
def test_objects_are_read_from_start_to_end_and_anywhere(world: World, size: int) -> None:
    data = put(world, "large", size)
    head = world.customer.head_object(Bucket=world.bucket, Key="large")
    version = ObjectVersion(s3=world.customer, bucket=world.bucket, key="large", etag=head["ETag"], size=size)
    with io.BufferedReader(read_in_parts(version), 1 << 20) as stream:
        assert stream.read(10) + stream.read() == data
    if not size:
        return
    file = read_anywhere(world.customer, world.bucket, "large")
    for start, length in (
        (0, 5),
        (size // 2, 2 * PART_BYTES),
        (max(0, size - 70_000), 9_000),
        (max(0, size - 3), 100),
        (size + 5, 4),
    ):
        assert file.seek(start) == start
        assert file.read(length) == data[start : start + length]
    assert file.seek(-min(size, 2), io.SEEK_END) == size - min(size, 2)
    assert file.read() == data[size - min(size, 2) :]


def test_a_large_file_of_the_customer_is_read_in_parts(world: World) -> None:
    data = put(world, "large.csv", 2 * PART_BYTES + 1)
    customer = world.buckets()
    with customer.open(world.bucket, "large.csv") as stream:
        assert stream.read() == data


def test_an_object_that_changes_is_not_mixed(world: World) -> None:
    put(world, "changing", 3 * PART_BYTES)
    file = read_anywhere(world.customer, world.bucket, "changing")
    assert file.read(4)
    put(world, "changing", 3 * PART_BYTES + 1)
    with pytest.raises(ClientError, match="PreconditionFailed"):
        file.read(4)


@pytest.mark.parametrize("pieces", [0, 1, 5])
def test_uploads_become_objects(world: World, pieces: int) -> None:
    piece = random.Random(pieces).randbytes(PART_BYTES // 2 + 1)  # noqa: S311 - test data
    with write_in_parts(world.customer, world.bucket, "new", {"ContentType": "a/b"}) as sink:
        for _ in range(pieces):
            sink.write(piece)
        assert sink.tell() == pieces * len(piece)
    assert world.download("new") == piece * pieces
    assert world.customer.head_object(Bucket=world.bucket, Key="new")["ContentType"] == "a/b"


@pytest.fixture
def own(jobs_aws: EmbeddedAws, world: World) -> World:
    """A world whose customer has a client of its own, to be listened to."""
    return replace(world, customer=jobs_aws.client("s3"))


def test_an_upload_in_parts_names_its_checksums_from_begin_to_end(own: World) -> None:
    """S3 refuses an upload whose parts have sums of an algorithm that was not named, or sums not repeated."""
    asked: dict[str, list[dict[str, Any]]] = defaultdict(list)
    names = ("CreateMultipartUpload", "UploadPart", "CompleteMultipartUpload")
    # What the caller said, before botocore adds a sum of its own choice.
    for name in names:
        own.customer.meta.events.register(
            f"provide-client-params.s3.{name}", lambda params, name=name, **_: asked[name].append(params)
        )
    parts = [random.Random(number).randbytes(PART_BYTES + number) for number in range(3)]  # noqa: S311 - test data
    with write_in_parts(own.customer, own.bucket, "new", {}) as sink:
        for part in parts:
            sink.write(part)
    sums = [base64.b64encode(zlib.crc32(part).to_bytes(4, "big")).decode() for part in parts]
    assert [one["ChecksumAlgorithm"] for one in asked["CreateMultipartUpload"]] == ["CRC32"]
    sent = sorted(asked["UploadPart"], key=lambda one: one["PartNumber"])
    assert [one["ChecksumCRC32"] for one in sent] == sums
    (completed,) = asked["CompleteMultipartUpload"]
    listed = completed["MultipartUpload"]["Parts"]
    assert [(one["PartNumber"], one["ChecksumCRC32"]) for one in listed] == list(enumerate(sums, start=1))
    head = own.customer.head_object(Bucket=own.bucket, Key="new", ChecksumMode="ENABLED")
    together = zlib.crc32(b"".join(zlib.crc32(part).to_bytes(4, "big") for part in parts))
    assert head["ChecksumCRC32"] == f"{base64.b64encode(together.to_bytes(4, 'big')).decode()}-3"
    assert own.download("new") == b"".join(parts)


def test_a_part_that_changes_on_its_way_is_refused(own: World) -> None:
    def change(params: dict[str, Any], **_: Any) -> None:
        params["Body"] = params["Body"][:-1] + bytes([params["Body"][-1] ^ 1])

    own.customer.meta.events.register("provide-client-params.s3.UploadPart", change)
    with (
        pytest.raises(ClientError, match="BadDigest"),
        write_in_parts(own.customer, own.bucket, "new", {}) as sink,
    ):
        sink.write(bytes(PART_BYTES))
    assert "Contents" not in own.customer.list_objects_v2(Bucket=own.bucket)


def test_an_upload_that_breaks_leaves_nothing(world: World) -> None:
    def broken() -> None:
        with write_in_parts(world.customer, world.bucket, "new", {}) as sink:
            sink.write(bytes(2 * PART_BYTES))
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    assert "Contents" not in world.customer.list_objects_v2(Bucket=world.bucket)
    assert not world.customer.list_multipart_uploads(Bucket=world.bucket).get("Uploads")


def test_columns_can_be_written_and_read(world: World) -> None:
    table = pa.table({"a": [random.Random(at).random() for at in range(3000)] * 1000})  # noqa: S311 - test data
    with (
        write_in_parts(world.customer, world.bucket, "t", {}) as sink,
        pq.ParquetWriter(sink, table.schema) as writer,
    ):
        for start in range(0, table.num_rows, 500_000):
            writer.write_table(table.slice(start, 500_000))
    file = pq.ParquetFile(read_anywhere(world.customer, world.bucket, "t"), pre_buffer=True)
    assert file.num_row_groups == 6
    assert pa.concat_tables(file.read_row_group(at) for at in range(6)).equals(table)
