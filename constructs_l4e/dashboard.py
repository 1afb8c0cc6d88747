"""The CloudWatch dashboard of one asset: what its scheduler found, and how its monitoring goes."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict

import aws_cdk as cdk
import jsii
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from constructs_l4e import _props, _validate
from constructs_l4e._environments import require_same_service
from constructs_l4e.alarms import THRESHOLD, SchedulerAlarms
from constructs_l4e.interfaces import IInferenceScheduler, IRetrainingScheduler
from constructs_l4e.storage import S3Location

_LONGEST_NAME = 255
_WIDTH, _ADVICE_WIDTH = 24, 6
_HEADING_HEIGHT, _STATUS_HEIGHT, _GRAPH_HEIGHT = 2, 3, 6
_GREEN, _BLUE, _ORANGE, _RED = "#2ca02c", "#1f77b4", "#ff7f0e", "#d62728"  # those of CloudWatch


@dataclass(frozen=True, slots=True)
class _Series:
    """A metric as it is drawn, and the name of the alarm on it."""

    metric_name: str
    label: str
    color: str
    alarm: str = ""


_ANOMALIES = [_Series("AnomalyDetected", "executions with an anomaly", _ORANGE, "anomaly")]
_FAULTS = [
    _Series("FaultBegan", "faults that began", _RED, "fault_began"),
    _Series("LevelMoved", "levels that moved", _BLUE, "level_moved"),
]
_WINDOWS = [
    _Series("InferenceSucceeded", "windows inferred", _GREEN, "no_success"),
    _Series("InferenceFailed", "executions failed", _RED, "failed"),
    _Series("InferenceInvalidInput", "executions with unusable input", _ORANGE, "invalid_input"),
    _Series("InferenceMissed", "windows missed", _BLUE),
]
_NOTICES = [_Series("InferenceWarning", "notices about the input", _ORANGE, "warning")]
_OF_SCHEDULER = [*_ANOMALIES, *_FAULTS, *_WINDOWS, *_NOTICES]
_RETRAININGS = [
    _Series("VersionPromoted", "new versions in use", _GREEN),
    _Series("VersionNotPromoted", "new versions not in use", _BLUE),
    _Series("RetrainingFailed", "retrainings failed", _RED),
]

_ON_THE_EQUIPMENT = """\
**What to do**

- *Anomaly*: look at the equipment. `ListInferenceEvents` says since when, and which sensors lead.
- *Fault began*: half an hour of alarm, counted once, however often it comes back.
- *Level moved*: a sensor stays off what the others predict. Find out why; train again if it is normal."""
_ON_THE_MONITORING = """\
**What to do**

- *Failed*: `ListInferenceExecutions` says why, in `FailedReason`.
- *Nothing inferred*: look whether the scheduler runs (`DescribeInferenceScheduler`)."""
_ON_MISSED_AND_NOTICES = """
- *Missed*: nothing was inferred for so long that windows were given up.
- *Notices*: late, missing or odd rows. The log of the inference function says which (`window inferred`)."""


class AssetDashboardProps(TypedDict, total=False):
    """Props of the `AssetDashboard` of a `MonitoredAsset`, which knows what is left out."""

    title: str | None
    dashboard_name: str | None
    default_interval: cdk.Duration | None


class AssetDashboard(Construct):
    """CloudWatch dashboard of one asset: alarms, what was found, how inference goes, retrainings.

    It shows the metrics that the service publishes: AWS's own has none of anomalies and retrainings.
    CloudWatch bills each dashboard; `rows` are for one that shows several assets.

    Args:
        scope: parent of the construct.
        id: construct id.
        scheduler: the scheduler of the asset; if it is imported, with model and frequency.
        alarms: alarms on the scheduler; their states are shown, and their thresholds drawn. Default: none.
        retraining: retraining scheduler of the model. Default: none.
        results: where the scheduler writes results, which the heading names. Default: it does not.
        title: what the asset is called on the dashboard. Default: the name of the scheduler.
        dashboard_name: name of the dashboard, at most 255 letters, digits, `-` and `_`. Default: a
            generated one.
        default_interval: time that is shown until somebody picks another. Default: 14 days.

    Attributes:
        dashboard: the dashboard, which takes further widgets.

    Raises:
        ValueError: when alarms are of another scheduler, `retraining` is of another model, one of them is of
            another service, an imported scheduler does not know its model or frequency, or the name is not
            legal.
    """

    @_props.checked
    def __init__(
        self,
        scope: Construct,
        id: str,
        *,
        scheduler: IInferenceScheduler,
        alarms: Sequence[SchedulerAlarms] = (),
        retraining: IRetrainingScheduler | None = None,
        results: S3Location | None = None,
        title: str | None = None,
        dashboard_name: str | None = None,
        default_interval: cdk.Duration | None = None,
    ) -> None:
        super().__init__(scope, id)
        if dashboard_name is not None:
            _validate.aws_name(dashboard_name, longest=_LONGEST_NAME, what="dashboard_name")
        self._scheduler = scheduler
        self._alarms = list(alarms)
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=dashboard_name,
            default_interval=default_interval or cdk.Duration.days(14),
            widgets=self.rows(
                scheduler=scheduler,
                alarms=self._alarms,
                retraining=retraining,
                results=results,
                title=title,
            ),
        )

    def add_alarms(self, *alarms: SchedulerAlarms) -> None:
        """Show further alarms on the scheduler.

        Raises:
            ValueError: when they are of another scheduler or service.
        """
        for each in alarms:
            _require_alarms_of(self._scheduler, each)
        self._alarms.extend(alarms)

    @staticmethod
    def rows(
        *,
        scheduler: IInferenceScheduler,
        alarms: Sequence[SchedulerAlarms] = (),
        retraining: IRetrainingScheduler | None = None,
        results: S3Location | None = None,
        title: str | None = None,
    ) -> list[list[cloudwatch.IWidget]]:
        """Return the rows of an asset, for the `widgets` of a dashboard of several: see `AssetDashboard`.

        Alarms that are added to the list `alarms` until the app is synthesised are shown too.

        Raises:
            ValueError: as `AssetDashboard` does.
        """
        name = scheduler.inference_scheduler_name
        for each in alarms:
            _require_alarms_of(scheduler, each)
        metrics = _metrics(scheduler, _OF_SCHEDULER)
        if retraining is not None:
            _require_same("retrainings", retraining.model_name, scheduler.model_name)
            require_same_service("the retraining scheduler", retraining.service, scheduler.service)
            metrics |= _metrics(retraining, _RETRAININGS)
        minutes = scheduler.data_upload_frequency.seconds // 60
        heading = f"# {title or name}\nInference scheduler `{name}`, one window every {minutes} minutes."
        if results is not None:
            heading += f" Results: `{results.uri}`."
        return _Rows(title=title or name, heading=heading, alarms=alarms, metrics=metrics).all()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """The rows of an asset, each as wide as a dashboard."""

    title: str
    heading: str
    alarms: Sequence[SchedulerAlarms]
    """Looked at when the app is synthesised, as more may come until then."""
    metrics: Mapping[_Series, cloudwatch.IMetric]
    """Those that are published; what is not among them is not drawn."""

    def all(self) -> list[list[cloudwatch.IWidget]]:
        """Return the rows, from what is looked at first to what is looked at last."""
        on_more = _ON_MISSED_AND_NOTICES if self._published(_NOTICES) else ""
        rows: list[list[cloudwatch.IWidget]] = [
            [cloudwatch.TextWidget(markdown=self.heading, width=_WIDTH, height=_HEADING_HEIGHT)],
            [_RowOfAlarms(self._states, height=lambda: _STATUS_HEIGHT if self._every_alarm() else 0)],
            [
                cloudwatch.SingleValueWidget(
                    title=f"{self.title}: sums over the time shown",
                    metrics=[self.metrics[each] for each in self._published(_OF_SCHEDULER)],
                    set_period_to_time_range=True,
                    width=_WIDTH,
                    height=_STATUS_HEIGHT,
                )
            ],
            self._watched(
                {"executions with an anomaly": _ANOMALIES, "faults and levels": _FAULTS},
                advice=_ON_THE_EQUIPMENT,
            ),
            self._watched(
                {"windows": _WINDOWS, "notices about the input": _NOTICES},
                advice=_ON_THE_MONITORING + on_more,
            ),
            self._graphs({"retrainings": _RETRAININGS}),
        ]
        return [row for row in rows if row]

    def _watched(self, titled: Mapping[str, Sequence[_Series]], *, advice: str) -> list[cloudwatch.IWidget]:
        """Return `_graphs` of metrics that may have alarms, as one widget."""
        if not any(map(self._published, titled.values())):
            return []
        make = partial(self._graphs, titled, advice=advice)
        return [_RowOfAlarms(make, height=lambda: _GRAPH_HEIGHT)]

    def _states(self) -> list[cloudwatch.IWidget]:
        every = self._every_alarm()
        if not every:
            return []
        title = f"{self.title}: alarms"
        return [cloudwatch.AlarmStatusWidget(title=title, alarms=every, width=_WIDTH, height=_STATUS_HEIGHT)]

    def _every_alarm(self) -> list[cloudwatch.IAlarm]:
        return [alarm for each in self.alarms for alarm in each.alarms]

    def _graphs(
        self, titled: Mapping[str, Sequence[_Series]], *, advice: str | None = None
    ) -> list[cloudwatch.IWidget]:
        """Return graphs by their titles, side by side, with advice; nothing if no metric is published."""
        shown = {title: series for title, every in titled.items() if (series := self._published(every))}
        if not shown:
            return []
        width = (_WIDTH - (_ADVICE_WIDTH if advice else 0)) // len(shown)
        row: list[cloudwatch.IWidget] = [
            cloudwatch.GraphWidget(
                title=f"{self.title}: {title}",
                left=[self.metrics[each] for each in series],
                left_annotations=self._threshold(series),
                left_y_axis=cloudwatch.YAxisProps(label="number", show_units=False, min=0),
                width=width,
                height=_GRAPH_HEIGHT,
            )
            for title, series in shown.items()
        ]
        if advice:
            row.append(cloudwatch.TextWidget(markdown=advice, width=_ADVICE_WIDTH, height=_GRAPH_HEIGHT))
        return row

    def _threshold(self, every: Sequence[_Series]) -> list[cloudwatch.HorizontalAnnotation]:
        """Return one line for all alarms: the labels of several would lie on each other."""
        said = [
            f"{series.alarm} {limit.count} of {limit.window}"
            for series in every
            for alarms in self.alarms
            if (limit := alarms.executions.get(series.alarm))
        ]
        label = f"alarm: {', '.join(said)}"
        return [cloudwatch.HorizontalAnnotation(value=THRESHOLD, label=label)] if said else []

    def _published(self, every: Sequence[_Series]) -> list[_Series]:
        return [series for series in every if series in self.metrics]


@jsii.implements(cloudwatch.IWidget)
class _RowOfAlarms:
    """A row that shows alarms: it is made when the app is synthesised, as more are added until then."""

    warnings = warnings_v2 = None

    def __init__(self, make: Callable[[], list[cloudwatch.IWidget]], *, height: Callable[[], int]) -> None:
        self._make, self._height = make, height
        self._place: tuple[float, float] = 0, 0

    @property
    def width(self) -> int:
        """Columns of the grid."""
        return _WIDTH

    @property
    def height(self) -> int:
        """Rows of the grid."""
        return self._height()

    def position(self, x: float, y: float) -> None:
        """Place the row."""
        self._place = x, y

    def to_json(self) -> list[Any]:
        """Return the widgets for the body of a dashboard."""
        row = cloudwatch.Row(*self._make())
        row.position(*self._place)
        return row.to_json()


def _require_alarms_of(scheduler: IInferenceScheduler, alarms: SchedulerAlarms) -> None:
    """Require that alarms watch a scheduler."""
    watched = alarms.scheduler
    _require_same("alarms", watched.inference_scheduler_name, scheduler.inference_scheduler_name)
    require_same_service("what the alarms watch", watched.service, scheduler.service)


def _metrics(
    of: IInferenceScheduler | IRetrainingScheduler, every: Sequence[_Series]
) -> dict[_Series, cloudwatch.IMetric]:
    """Return what the service publishes; to a dashboard elsewhere the metrics say where they are."""
    return {
        series: of.metric(series.metric_name, label=series.label, color=series.color).attach_to(of)
        for series in every
        if of.service.publishes(series.metric_name)
    }


def _require_same(what: str, theirs: str, ours: str) -> None:
    if theirs != ours and not (_props.is_token(theirs) or _props.is_token(ours)):
        raise ValueError(f'{what} of "{theirs}" do not belong on a dashboard of "{ours}": leave them out')
