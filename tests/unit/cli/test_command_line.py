"""Arguments and exit status of `l4e`, and what works without an embedded AWS."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from l4e_cli import cdk
from l4e_cli.emulator import start_reserved
from l4e_cli.errors import AlreadyRunningError, CliError
from l4e_cli.instance import start_instance
from l4e_cli.main import run

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """`run` drops the AWS settings of its process; the tests keep theirs."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    monkeypatch.chdir(tmp_path)


def test_status_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"running": False, "env": {}, "stacks": {}}
    assert run(["status"]) == 1
    assert "no embedded AWS runs in" in capsys.readouterr().out


def test_the_process_has_its_own_sigterm_handler_back(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    assert run(["status"]) == 1
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_what_ends_a_command_is_told(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    number: signal.Signals,
    status: int,
) -> None:
    monkeypatch.setattr("l4e_cli.commands.status", lambda *_, **__: os.kill(os.getpid(), number))
    assert run(["status", "--json"]) == status
    assert json.loads(capsys.readouterr().out) == {"error": "terminated"}


SELF_KILLED = """
import atexit, os, signal, sys
at, number = sys.argv[1], int(sys.argv[2])
sys.argv[1:] = ["status"]
signal.signal(signal.SIGINT, signal.default_int_handler)  # which shells ignore in the background
class Killer:
    def find_spec(self, name, *_):
        if name == at:
            os.kill(os.getpid(), number)
atexit.register(print, "the interpreter was taken down")
sys.meta_path.insert(0, Killer())
from l4e_cli.__main__ import main
main()
"""
"""Runs `l4e status`, and kills its own process when a module is imported."""


@pytest.mark.parametrize(
    ("at", "number", "status", "word"),
    [
        ("l4e_cli.main", signal.SIGINT, 130, "interrupted"),  # by SIGTERM, Python ends it by itself
        ("botocore.exceptions", signal.SIGINT, 130, "interrupted"),
        ("botocore.exceptions", signal.SIGTERM, 143, "terminated"),
        ("l4e_cli.commands", signal.SIGINT, 130, "interrupted"),
        ("l4e_cli.commands", signal.SIGTERM, 143, "terminated"),
    ],
)
def test_an_interrupted_process_ends_at_once(at: str, number: signal.Signals, status: int, word: str) -> None:
    """Also while it imports; it says one line, and takes nothing from under threads that are at work."""
    ended = subprocess.run(
        [sys.executable, "-c", SELF_KILLED, at, str(int(number))], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", f"error: {word}\n")


def test_down_of_nothing_is_fine(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["down"]) == 0
    assert "no embedded AWS runs in" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["up", "down", "status"])
def test_one_that_is_being_started_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    with start_reserved(tmp_path):
        assert run([command, "--state-dir", str(tmp_path)]) == 1
    assert f"an embedded AWS is being started in {tmp_path}: try again in a moment" in capsys.readouterr().err


def test_down_removes_what_a_dead_instance_left_and_nothing_else(tmp_path: Path) -> None:
    state = tmp_path / ".l4e"
    (state / "tls").mkdir(parents=True)
    (state / "instance.json").write_text("{}")
    (state / "emulator.pid").write_text("1")
    (state / "notes.txt").write_text("mine")
    assert run(["down"]) == 0
    assert [path.name for path in state.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("command", ["down", "up"])
def test_what_others_have_under_its_names_stays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    """A project has a `work` and a `cdk.out` of its own, and may be named as the folder of the state."""
    mine = [tmp_path / name / "mine.txt" for name in ("work", "cdk.out", "tmp")]
    for path in mine:
        path.parent.mkdir()
        path.touch()
    assert run([command, "--state-dir", "."]) == (1 if command == "up" else 0)
    assert all(path.exists() for path in mine)
    if command == "up":
        assert "has a tmp that is of no embedded AWS" in capsys.readouterr().err


def test_one_that_is_being_started_is_not_started_beside_it(tmp_path: Path) -> None:
    with start_reserved(tmp_path), pytest.raises(AlreadyRunningError):
        start_instance(tmp_path, region="us-east-1")


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate", "nowhere"],
        ["validate", "x" * 300],
        ["validate", "."],
        ["validate", "s3://bucket/history/"],
        ["doctor", "--bucket", "mine"],
        ["doctor"],
        ["status"],
        ["status", "--state-dir", "odd"],
    ],
)
def test_json_is_one_document_however_it_ends(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    (tmp_path / "odd" / "emulator.lock").mkdir(parents=True)
    assert run([*arguments, "--json"]) == 1
    written = capsys.readouterr()
    found = json.loads(written.out)
    if "error" in found:
        assert written.err == f"error: {found['error']}\n"


def test_an_output_that_takes_nothing_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        ended = subprocess.run(
            [sys.executable, "-m", "l4e_cli", "status", "--json"],
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr


def test_an_encoding_without_check_marks_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("Timestamp,Speed\n2026-03-01 00:00:00,1\n")
    ended = subprocess.run(
        [sys.executable, "-m", "l4e_cli", "validate", str(tmp_path)],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": "ascii"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in ended.stderr
    assert "? 1 file in" in ended.stdout


def test_a_place_that_cannot_be_written_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert run(["configure", "--endpoint", "https://a/v1", "--data-path", "file/models"]) == 1
    assert "file/models': Not a directory" in capsys.readouterr().err


@pytest.mark.parametrize("arguments", [[], ["fly"], ["configure"], ["demo", "--train-until", "noon"]])
def test_wrong_usage_is_status_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    assert "usage: l4e" in capsys.readouterr().err


def test_a_data_folder_that_is_not_there_fails_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["demo", "--data", "nowhere"]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "error: 'nowhere' is not a folder: name a folder that holds CSV files\n"
    assert not (tmp_path / ".l4e").exists()


def test_an_output_folder_that_cannot_be_made_fails_before_anything_starts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert run(["demo", "--output", "file/results"]) == 1
    assert capsys.readouterr().err == "error: 'file/results': Not a directory\n"
    assert not (tmp_path / ".l4e").exists()


@pytest.mark.parametrize(
    ("address", "url"),
    [
        (["--endpoint", "https://api.example.com/v1"], "https://api.example.com/v1"),
        (["--api-id", "abc", "--region", "eu-west-1"], "https://abc.execute-api.eu-west-1.amazonaws.com/v1"),
        (
            ["--api-id", "abc", "--region", "cn-north-1", "--stage", "live"],
            "https://abc.execute-api.cn-north-1.amazonaws.com.cn/live",
        ),
        (
            ["--api-id", "abc", "--region", "eusc-de-east-1"],
            "https://abc.execute-api.eusc-de-east-1.amazonaws.eu/v1",
        ),
        (
            ["--endpoint", "https://api.example.com/v1/", "--way-in", "read/tag/Team/pumps"],
            "https://api.example.com/v1/read/tag/Team/pumps",
        ),
        (
            ["--api-id", "abc", "--region", "eu-west-1", "--way-in", "full/"],
            "https://abc.execute-api.eu-west-1.amazonaws.com/v1/full",
        ),
    ],
)
def test_configure_makes_clients_sign_for_the_api(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], address: list[str], url: str
) -> None:
    assert run(["configure", *address, "--data-path", "settings"]) == 0
    lines = dict(line.removeprefix("export ").split("=", 1) for line in capsys.readouterr().out.splitlines())
    assert lines == {
        "AWS_DATA_PATH": str(tmp_path / "settings"),
        "AWS_ENDPOINT_URL_LOOKOUTEQUIPMENT": url,
    }
    program = (
        "import boto3; c = boto3.client('lookoutequipment', region_name='eu-west-1');"
        "print(c.meta.endpoint_url, c.meta.service_model.signing_name)"
    )
    client = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **lines},
        capture_output=True,
        text=True,
        check=True,
    )
    assert client.stdout.split() == [url, "execute-api"]


@pytest.mark.parametrize(
    "way_in",
    ["", "write", "read/full", "read/tag/Team", "read/tag/Team/a b", "Read", "read/name/a/../b", "full\n"],
)
def test_configure_refuses_what_is_no_way_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], way_in: str
) -> None:
    assert (
        run(["configure", "--endpoint", "https://x/v1", "--data-path", "settings", "--way-in", way_in]) == 1
    )
    assert f"error: {way_in!r} is not a way in: write read, operate or full" in capsys.readouterr().err
    assert not (tmp_path / "settings").exists()


def test_configure_refuses_a_way_in_before_it_asks_aws(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["configure", "--stack", "Service", "--way-in", "write"]) == 1
    assert "error: 'write' is not a way in" in capsys.readouterr().err


def test_configure_needs_a_region_for_an_api(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["configure", "--api-id", "abc", "--data-path", "settings"]) == 1
    assert capsys.readouterr().err == "error: no region: pass --region, or set AWS_DEFAULT_REGION\n"


def test_configure_refuses_a_region_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["configure", "--api-id", "abc", "--region", "europe"]) == 1
    assert capsys.readouterr().err == "error: 'europe' is not a Region: name one such as eu-west-1\n"


def test_doctor_needs_a_region(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document == {
        "ok": False,
        "checks": [
            {
                "area": "Account",
                "check": "credentials",
                "status": "problem",
                "text": "there is no Region",
                "fix": "pass --region, or set AWS_DEFAULT_REGION",
            }
        ],
    }


def test_doctor_needs_credentials(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert run(["doctor", "--region", "eu-west-1"]) == 1
    assert capsys.readouterr().out == (
        "\nAccount\n"
        "  problem      credentials: Unable to locate credentials\n"
        "               -> set credentials for the account, such as AWS_PROFILE\n"
        "\n0 ok, 1 problem, 0 not checked\n"
    )


def test_files_in_s3_need_credentials(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whatever the process signed before with other credentials is not taken for this.
    monkeypatch.setattr(
        "boto3.DEFAULT_SESSION",
        boto3.Session(aws_access_key_id="of-before", aws_secret_access_key="of-before"),
    )
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert run(["validate", "s3://bucket/prefix/"]) == 1
    assert "error: there are no AWS credentials: set them for the account" in capsys.readouterr().err


@pytest.mark.parametrize("address", ["https://b.s3.amazonaws.com/x", "s3:/bucket/x", "arn:aws:s3:::bucket/x"])
def test_an_address_that_is_not_read(capsys: pytest.CaptureFixture[str], address: str) -> None:
    assert run(["validate", address]) == 1
    assert capsys.readouterr().err == (
        f"error: '{address}' is no address that is read: write s3://bucket/prefix/\n"
    )


def test_the_app_of_the_folder_comes_first(tmp_path: Path) -> None:
    assert cdk.find_app(tmp_path) == ROOT
    (tmp_path / "cdk.json").write_text("{}")
    assert cdk.find_app(tmp_path) == tmp_path


def test_tools_see_no_aws_setting_of_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "production")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://elsewhere")
    given = {"AWS_CA_BUNDLE": "/ca.pem", "AWS_ENDPOINT_URL": "https://127.0.0.1:1"}
    seen = cdk.tool_environment(given)
    assert {name for name in seen if name.startswith("AWS_")} == {
        *given,
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_EC2_METADATA_DISABLED",
    }
    assert Path(seen["JSII_NODE"]).is_file()
    assert seen["PATH"].split(os.pathsep)[0] == str(Path(sys.executable).parent)


def test_a_failure_of_cdk_shows_the_reasons(tmp_path: Path) -> None:
    app = tmp_path / "app"
    app.mkdir()
    (app / "cdk.json").write_text(
        json.dumps({"app": f"{sys.executable} -c 'raise SystemExit(\"no good app\")'"})
    )
    tool = cdk.Cdk(
        environment=cdk.tool_environment({"AWS_CA_BUNDLE": os.devnull}),
        log=tmp_path / "cdk.log",
        account="000000000000",
        region="us-east-1",
    )
    with pytest.raises(CliError, match=r"(?s)cdk synth failed:.*no good app.*whole log: .*cdk\.log"):
        tool.synth(app, tmp_path / "out")
    assert "no good app" in (tmp_path / "cdk.log").read_text()


COMMANDS = ("up", "down", "status", "demo", "validate", "prepare", "configure", "layer", "doctor")
WORK = "commands", "demo.run", "doctor.command", "layer", "prepare.run", "validate.command"


def loaded_by(program: str) -> set[str]:
    """The modules that a program has imported at its end."""
    shown = f"{program}; import sys; print('loaded:', *sys.modules)"
    ended = subprocess.run(
        [sys.executable, "-c", shown], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return set(ended.stdout.rpartition("loaded:")[2].split())


def test_neither_the_constructs_nor_the_cdk_are_loaded() -> None:
    found = loaded_by("import l4e_cli.__main__, " + ", ".join(f"l4e_cli.{name}" for name in WORK))
    assert found.isdisjoint({"aws_cdk", "constructs", "constructs_l4e", "jsii"})


def test_help_is_shown_before_anything_is_loaded() -> None:
    helps = "".join(f"shown({command!r})\n" for command in COMMANDS)
    found = loaded_by(
        "import contextlib, l4e_cli.__main__, l4e_cli.main\n"
        "def shown(command):\n"
        "    with contextlib.suppress(SystemExit):\n"
        f"        l4e_cli.main.run([command, '--help'])\n{helps}pass"
    )
    assert found.isdisjoint({"boto3", "botocore", "matplotlib", "numpy", "pyarrow", "rich", "service"})


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["up", "--region", "eu_west"], "'eu_west' is not the name of a Region such as eu-west-1"),
        (["up", "--state-dir", "file"], "'file' is a file: name a folder, which is made if it is not there"),
        (["demo", "--output", "file"], "'file' is a file"),
        (["demo", "--train-until", "31.01.2026"], "'31.01.2026' is not a time such as 2026-01-31T00:00:00"),
        (["validate", ".", "--picture", "picture.jpeg"], "'picture.jpeg' does not end in .png"),
        (["doctor", "--region", "mars"], "'mars' is not the name of a Region such as eu-west-1"),
        (
            ["configure", "--endpoint", "api.example.com"],
            "'api.example.com' is no address: write it whole, as",
        ),
        (
            ["configure", "--endpoint", "https://a/v1", "--data-path", "file"],
            "'file' is a file: name a folder",
        ),
        (["validate", ".", "--picture", "folder.png"], "'folder.png' is a folder: name a file in it"),
        (["down", "--state-dir", ""], "'' names no folder"),
        (["up", "-c", "stage"], "'stage' has no value: write KEY=VALUE"),
        (["configure", "--api-id", "a b/c"], "'a b/c' is not the id of a REST API"),
        (["configure", "--api-id", ""], "'' is not the id of a REST API"),
        (["configure", "--api-id", "a1", "--stage", "v1/x"], "'v1/x' is not the name of a stage"),
        (["configure", "--endpoint", "https://a b/v1"], "'https://a b/v1' is no address"),
        (["configure", "--endpoint", "https://a/v1?x=1"], "'https://a/v1?x=1' is no address"),
    ],
)
def test_an_argument_that_cannot_be_meant(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(SystemExit) as ended:
        run(arguments)
    assert ended.value.code == 2
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["demo", "--train-until", "2026-01-31"], "--train-until is about the files of --data: give both"),
        (["demo", "--off-condition", "a < 1"], "--off-condition is about the files of --data: give both"),
        (
            ["prepare", "a.csv", "b", "--set", "decimal=dot", "--set", "decimal=comma"],
            "--set decimal is given as 'dot' and as 'comma': give it once",
        ),
        (
            ["validate", ".", "--assets-file", "a.toml"],
            "--assets-file declares the asset of --asset: give both",
        ),
        (["doctor", "--bucket", "mine"], "--bucket is where --write writes: give both, or neither"),
    ],
)
def test_an_argument_that_would_have_no_effect(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: str
) -> None:
    assert run(arguments) == 1
    assert f"error: {words}" in capsys.readouterr().err
