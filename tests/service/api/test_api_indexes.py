"""Indexes: they lead to the same records as reading all of a kind, whatever release wrote these."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from service.reconciler import reconcile
from service.storage import typed_store
from service.storage.indexes import entries, is_trusted
from service.storage.names import (
    DATASET,
    INDEX_STATE,
    INGESTION_JOB,
    MODEL,
    SCHEDULER,
    jobs_of_dataset,
    models_of_dataset,
    schedulers_of_model,
    under_way,
)
from service.storage.store import Item, Store, Update
from tests.service.api.conftest import Service
from tests.service.api.in_process import NOON, in_process
from tests.service.mortal import Fate, Killed, Mortal

INDEXES = tuple(
    partition.partition("#")[0]
    for partition in (jobs_of_dataset(""), models_of_dataset(""), schedulers_of_model(""), under_way(""))
)
NAMES = ("drive", "fan", "pump")


@dataclass
class Site:
    """A service whose clock the test moves."""

    now: datetime = NOON
    service: Service = field(init=False)

    def __post_init__(self) -> None:
        self.service = in_process(
            clock=lambda: self.now, **dict.fromkeys(("datasets", "models")), inference_schedulers_per_model=9
        )

    @property
    def items(self) -> dict[tuple[str, str], Item]:
        """What is in the table, by key."""
        found: dict[tuple[str, str], Item] = self.service.context.client("dynamodb").items
        return found

    @property
    def records(self) -> typed_store.TypedStore:
        return self.service.context.records

    def trusted(self) -> bool:
        return is_trusted(self.records.index_state())

    def sweep(self, *, minutes: float = 60, fate: Fate | None = None) -> None:
        """Let time pass, and the reconciler do what it does every hour."""
        self.now += timedelta(minutes=minutes)
        context, clients = self.service.context, self.service.context.client
        if fate is not None:
            context = replace(context, client=lambda name: Mortal(clients(name), fate))
        reconcile({"source": "aws.events"}, context)

    def forget(self, *, but: frozenset[tuple[str, str]] = frozenset()) -> None:
        """Make of all records, `but` those with these keys, what an earlier release would have written."""
        for key in self.items.keys() - but:
            if key[0].partition("#")[0] in INDEXES:
                del self.items[key]
            else:
                self.items[key].pop("indexed", None)

    def dataset(self, name: str) -> None:
        self.service.create_dataset(name)

    def ingest(self, name: str, *, ends: bool = True) -> None:
        self.now += timedelta(seconds=1)
        job = self.service.start_ingestion(name)
        if ends:
            self.service.finish_ingestion(job)

    def model(self, name: str, dataset: str, *, ends: bool = True) -> None:
        self.service.create_model(name, DatasetName=dataset)
        if ends:
            self.service.finish_training(name)

    def scheduler(self, name: str, model: str) -> None:
        self.service.create_scheduler(name, ModelName=model)

    def delete_scheduler(self, name: str) -> None:
        self.service.api.stop_inference_scheduler(InferenceSchedulerName=name)
        self.service.api.delete_inference_scheduler(InferenceSchedulerName=name)

    def grown(self) -> None:
        """Several of everything; something is under way on `fan` and in `leak`."""
        for name in ("pump", "fan"):
            self.dataset(name)
            self.ingest(name)
            self.ingest(name)
        self.model("wear", "pump")
        self.model("leak", "pump", ends=False)
        self.model("rust", "fan")
        for name, model in (("guard", "wear"), ("watch", "wear"), ("watch-2", "rust")):
            self.scheduler(name, model)
        self.ingest("fan", ends=False)

    def answers(self) -> dict[str, Any]:
        """All that the indexes are asked for, as callers see it."""
        api, records = self.service.api, self.records
        found: dict[str, Any] = {}
        for name in NAMES:
            listed = api.list_data_ingestion_jobs(DatasetName=name)["DataIngestionJobSummaries"]
            found[f"jobs of {name}"] = [(each["JobId"], each["Status"]) for each in listed]
            dataset = records.dataset(name)
            models = [] if dataset is None else records.models_of(dataset["uuid"])
            found[f"models of {name}"] = [each["sk"] for each in models]
        for model in ("wear", "leak", "rust"):
            for prefix in ("", "watch"):
                narrowed = {"InferenceSchedulerNameBeginsWith": prefix} if prefix else {}
                listed = api.list_inference_schedulers(ModelName=model, **narrowed)
                found[f"schedulers of {model} {prefix}"] = [
                    each["InferenceSchedulerName"] for each in listed["InferenceSchedulerSummaries"]
                ]
        found["under way"] = [
            *sorted(one["sk"] for one in records.datasets_under_way() if one["Status"].endswith("PROGRESS")),
            *sorted(one["sk"] for one in records.models_under_way() if one["Status"] == "IN_PROGRESS"),
        ]
        return found


EXPECTED = {
    "models of pump": ["leak", "wear"],
    "models of fan": ["rust"],
    "models of drive": [],
    "schedulers of wear ": ["guard", "watch"],
    "schedulers of wear watch": ["watch"],
    "schedulers of rust ": ["watch-2"],
    "schedulers of leak ": [],
    "under way": ["fan", "leak"],
}


@contextmanager
def partitions_read() -> Iterator[set[str]]:
    """The partitions of the table that are queried in the block."""
    found: set[str] = set()
    query = Store.query

    def noted(store: Store, pk: str, **narrowed: Any) -> Any:
        found.add(pk)
        return query(store, pk, **narrowed)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Store, "query", noted)
        yield found


def agrees(site: Site) -> None:
    """Every record of what exists has its entries, and each of these leads to it or to what was under way."""
    owed, indexed = set(), {key for key in site.items if key[0].partition("#")[0] in INDEXES}
    store = site.service.context.store
    for record in (one for kind in (INGESTION_JOB, MODEL, SCHEDULER) for one in store.all(kind)):
        owed |= {(entry["pk"], entry["sk"]) for entry in entries(record)}
        assert record.get("indexed") is True, record["sk"]
    deleted = {jobs_of_dataset(one["datasetUuid"]) for one in store.all(INGESTION_JOB)}
    deleted -= {jobs_of_dataset(one["uuid"]) for one in store.all(DATASET)}
    assert {key for key in owed if key[0] not in deleted} <= indexed
    assert {key for key in indexed - owed if not key[0].startswith(under_way(""))} == set()


@pytest.fixture
def site() -> Site:
    return Site()


def test_records_of_an_earlier_release_are_found_before_during_and_after_the_sweeps(site: Site) -> None:
    site.grown()
    site.forget()
    before = site.answers()
    assert EXPECTED.items() <= before.items()
    assert [status for _, status in before["jobs of fan"]] == ["IN_PROGRESS", "SUCCESS", "SUCCESS"]
    for sweeps, trusted in ((1, False), (2, True), (3, True)):
        site.sweep()
        assert (sweeps, site.trusted()) == (sweeps, trusted)
        assert site.answers() == before
        agrees(site)


def test_a_trusted_index_is_read_instead_of_all_records(site: Site) -> None:
    site.grown()
    with partitions_read() as before:
        site.answers()
    assert {INGESTION_JOB, MODEL, SCHEDULER, DATASET} <= before
    site.sweep()
    site.sweep()
    with partitions_read() as after:
        site.answers()
    assert {name.partition("#")[0] for name in after} == set(INDEXES)


def test_what_is_created_while_an_earlier_release_was_rolled_back_to_is_found_after_the_next_sweep(
    site: Site,
) -> None:
    site.dataset("pump")
    site.ingest("pump")
    site.sweep()
    site.sweep()
    kept = frozenset(site.items)
    site.model("wear", "pump")
    site.scheduler("watch", "wear")
    site.ingest("pump")
    expected = site.answers()
    site.forget(but=kept)
    assert site.trusted()
    assert site.answers() != expected
    site.sweep()
    assert site.answers() == expected
    agrees(site)


@pytest.mark.parametrize(
    ("minutes", "trusted"), [((60, 60), True), ((60, 29), False), ((1, 1, 1), False), ((60, 29, 2), True)]
)
def test_sweeps_are_trusted_once_an_earlier_release_must_have_ended(
    site: Site, minutes: tuple[int, ...], *, trusted: bool
) -> None:
    for each in minutes:
        site.sweep(minutes=each)
    assert site.trusted() is trusted


def test_everything_is_read_again_when_sweeps_are_missing(site: Site) -> None:
    site.grown()
    site.sweep()
    site.sweep()
    site.now += timedelta(minutes=119)
    assert site.trusted()
    site.now += timedelta(minutes=1)
    assert not site.trusted()
    site.forget()
    assert EXPECTED.items() <= site.answers().items()
    site.sweep()
    assert not site.trusted()
    agrees(site)


@pytest.mark.parametrize("deaf", [False, True], ids=["killed", "reply lost"])
def test_a_sweep_may_end_at_any_write(*, deaf: bool) -> None:
    at, met = 0, True
    while met:
        site = Site()
        site.dataset("pump")
        site.ingest("pump")
        site.model("wear", "pump")
        site.scheduler("watch", "wear")
        site.model("leak", "pump", ends=False)
        site.ingest("pump", ends=False)
        site.forget()
        expected = site.answers()
        fate = Fate(at=at, deaf=deaf)
        with suppress(Killed, BotoCoreError):
            site.sweep(fate=fate)
        met = fate.met is not None
        assert not site.trusted()
        site.sweep()
        site.sweep()
        assert site.answers() == expected
        agrees(site)
        assert site.trusted()
        at += 1
    assert at > 7


def test_a_record_whose_namesake_is_being_indexed_gets_entries_of_its_own(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.grown()
    site.forget()
    transact = Store.transact

    def late(store: Store, *writes: Any) -> None:
        if isinstance(writes[0], Update) and (writes[0].pk, writes[0].sk) == (SCHEDULER, "watch"):
            monkeypatch.setattr(Store, "transact", transact)
            site.delete_scheduler("watch")
            site.scheduler("watch", "rust")
            site.forget()  # as functions of an earlier release would do it
        transact(store, *writes)

    monkeypatch.setattr(Store, "transact", late)
    for _ in range(2):
        site.sweep()
    assert site.trusted()
    assert site.answers()["schedulers of rust "] == ["watch", "watch-2"]
    agrees(site)


def test_what_has_ended_is_forgotten_and_what_runs_is_kept(site: Site) -> None:
    site.grown()
    site.dataset("drive")
    site.ingest("drive")
    kinds = (under_way(DATASET), under_way(MODEL))

    def listed() -> list[str]:
        return sorted(sk.partition("/")[0] for pk, sk in site.items if pk in kinds)

    assert listed() == ["drive", "fan", "fan", "fan", "leak", "pump", "pump", "rust", "wear"]
    site.sweep()
    assert listed() == ["fan", "leak"]
    site.service.finish_training("leak")
    site.sweep()
    assert listed() == ["fan"]


def test_an_entry_too_many_does_no_harm(site: Site) -> None:
    """As a record that an earlier release deleted leaves one."""
    site.grown()
    site.sweep()
    site.sweep()
    expected = site.answers()
    wear, fan = site.records.model("wear"), site.records.dataset("fan")
    assert wear is not None
    assert fan is not None
    for pk, sk in (
        (schedulers_of_model("wear"), "gone"),
        (schedulers_of_model("leak"), "watch"),
        (models_of_dataset(fan["uuid"]), "wear"),
        (jobs_of_dataset(fan["uuid"]), "0" * 32),
        (under_way(MODEL), f"wear/{wear['uuid']}/0000000001"),
        (under_way(DATASET), "gone/0"),
    ):
        site.items[pk, sk] = {"pk": {"S": pk}, "sk": {"S": sk}}
    assert site.answers() == expected
    site.scheduler("gone", "wear")


def test_pages_of_an_index_go_on_where_they_ended(site: Site) -> None:
    site.grown()
    for _ in range(130):
        site.ingest("pump")
    pages = []
    for _ in range(2):
        token: dict[str, str] = {}
        found = []
        while True:
            page = site.service.api.list_data_ingestion_jobs(DatasetName="pump", MaxResults=50, **token)
            found.append([one["JobId"] for one in page["DataIngestionJobSummaries"]])
            if "NextToken" not in page:
                break
            token = {"NextToken": page["NextToken"]}
            site.sweep(minutes=31)  # a token of a page that was read without indexes fits the next
        pages.append(found)
    assert [len(page) for page in pages[0]] == [50, 50, 32]
    assert pages[0] == pages[1]
    jobs = [one for page in pages[0] for one in page]
    assert jobs == sorted(jobs, reverse=True)


def test_a_deleted_dataset_leaves_no_entries(site: Site) -> None:
    site.grown()
    pump = site.records.dataset("pump")
    assert pump is not None
    for name in ("guard", "watch"):
        site.delete_scheduler(name)
    site.service.finish_training("leak")
    for name in ("wear", "leak"):
        site.service.api.delete_model(ModelName=name)
    site.service.api.delete_dataset(DatasetName="pump")
    assert not [key for key in site.items if pump["uuid"] in key[0]]
    agrees(site)


ACTS = st.sampled_from(("dataset", "ingest", "begin", "model", "scheduler", "delete", "sweep", "forget"))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(ACTS, st.sampled_from(NAMES), st.sampled_from(NAMES)), max_size=20))
def test_indexes_answer_what_all_records_answer(acts: list[tuple[str, str, str]]) -> None:
    site = Site()
    site.sweep()
    site.sweep()
    api = site.service.api
    do: dict[str, Callable[[str, str], Any]] = {
        "dataset": lambda name, _: site.dataset(name),
        "ingest": lambda name, _: site.ingest(name),
        "begin": lambda name, _: site.ingest(name, ends=False),
        "model": site.model,
        "scheduler": site.scheduler,
        "delete": lambda name, of: {
            "drive": lambda: api.delete_dataset(DatasetName=of),
            "fan": lambda: api.delete_model(ModelName=of),
            "pump": lambda: site.delete_scheduler(of),
        }[name](),
        "sweep": lambda *_: site.sweep(),
        "forget": lambda *_: (site.forget(), site.items.pop((INDEX_STATE, INDEX_STATE), None)),
    }
    for act, name, of in acts:
        with suppress(api.exceptions.ClientError):
            do[act](name, of)
    site.sweep()
    site.sweep()
    assert site.trusted()
    indexed = site.answers()
    agrees(site)
    del site.items[INDEX_STATE, INDEX_STATE]
    assert site.answers() == indexed
