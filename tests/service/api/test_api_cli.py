"""The unmodified AWS CLI against the service."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tests.embedded import CREDENTIALS
from tests.service.api.conftest import SCHEMA, Service


def test_the_aws_cli_talks_to_the_service(service: Service, tmp_path: Path) -> None:
    def aws(*arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [str(Path(sys.executable).parent / "aws"), "lookoutequipment", *arguments, "--output", "json"],
            env={
                "PATH": os.environ["PATH"],
                "HOME": str(tmp_path),
                **CREDENTIALS,
                "AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT": service.url,
            },
            capture_output=True,
            text=True,
            check=False,
        )

    schema = json.dumps({"InlineDataSchema": json.dumps(SCHEMA)})
    created = aws("create-dataset", "--dataset-name", "pump", "--dataset-schema", schema)
    assert created.returncode == 0, created.stderr
    assert json.loads(created.stdout)["Status"] == "CREATED"
    again = aws("create-dataset", "--dataset-name", "pump", "--dataset-schema", schema)
    assert again.returncode != 0
    assert "ConflictException" in again.stderr
    assert "the dataset 'pump' already exists" in again.stderr
