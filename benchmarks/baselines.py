"""Other detectors, with the same scaling and one threshold rule: the 99.5 % quantile of training."""

import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from pyod.models.ecod import ECOD
from sklearn.covariance import LedoitWolf
from sklearn.decomposition import PCA
from sklearn.ensemble import IsolationForest
from sklearn.neural_network import MLPRegressor

from benchmarks.datasets import Case
from benchmarks.quality import Ratio, engine_ratio

Floats = NDArray[np.float64]
Scorer = Callable[[Floats], Floats]
_MAX_ROWS = 50_000


def _pca(train: Floats) -> Scorer:
    model = PCA(0.95, svd_solver="covariance_eigh" if len(train) > train.shape[1] else "full").fit(train)

    def parts(rows: Floats) -> tuple[Floats, Floats]:
        scores = model.transform(rows)
        rest = rows - model.inverse_transform(scores)
        return (scores**2 / model.explained_variance_).sum(axis=1), (rest**2).sum(axis=1)

    limits = [max(float(np.quantile(part, 0.995)), 1e-9) for part in parts(train)]

    def score(rows: Floats) -> Floats:
        t2, q = parts(rows)
        return np.maximum(t2 / limits[0], q / limits[1])

    return score


def _forest(train: Floats) -> Scorer:
    model = IsolationForest(n_estimators=100, random_state=0).fit(train)
    return lambda rows: -model.score_samples(rows)


def _mahalanobis(train: Floats) -> Scorer:
    scorer: Scorer = LedoitWolf().fit(train).mahalanobis
    return scorer


def _ecod(train: Floats) -> Scorer:
    scorer: Scorer = ECOD().fit(train).decision_function
    return scorer


def _autoencoder(train: Floats) -> Scorer:
    width = train.shape[1]
    hidden = (max(4, width), max(2, width // 3), max(4, width))
    model = MLPRegressor(hidden_layer_sizes=hidden, max_iter=60, early_stopping=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model.fit(train, train if width > 1 else train[:, 0])
    return lambda rows: ((rows - model.predict(rows).reshape(len(rows), -1)) ** 2).mean(axis=1)


BASELINES: dict[str, Callable[[Floats], Scorer]] = {
    "PCA T2+Q": _pca,
    "Mahalanobis LW": _mahalanobis,
    "IsolationForest": _forest,
    "ECOD": _ecod,
    "MLP autoencoder": _autoencoder,
}


def baseline_ratio(name: str, train: Floats, test: Floats) -> Floats:
    """Return the score of the test rows over the threshold; NaN counts as the median."""
    low, center, high = np.nanquantile(train, (0.25, 0.5, 0.75), axis=0)
    scale = np.maximum(np.maximum((high - low) / 1.349, 0.3 * np.nanstd(train, axis=0)), 1e-9)

    def scaled(values: Floats) -> Floats:
        result: Floats = np.nan_to_num(np.clip((values - center) / scale, -30, 30))
        return result

    rows = scaled(train)[:: max(1, len(train) // _MAX_ROWS)]
    score = BASELINES[name](rows)
    usual = score(rows)
    limit, least = float(np.quantile(usual, 0.995)), float(usual.min())
    return (score(scaled(test)) - least) / max(limit - least, 1e-12)


def baseline(name: str) -> Ratio:
    """Return a baseline as a scorer; it is fitted to the same healthy rows."""

    def ratio(case: Case) -> Floats:
        healthy = ~case.frame.off[: case.train]
        margin = 30 * case.frame.step
        times = case.frame.times[: case.train]
        for start, end in case.training_labels():
            healthy &= ~((times >= start - margin) & (times <= end + margin))
        complete = healthy & np.isfinite(case.frame.values[: case.train]).all(axis=1)
        if complete.sum() > healthy.sum() / 3:
            healthy = complete
        return baseline_ratio(name, case.frame.values[: case.train][healthy], case.frame.values[case.train :])

    return ratio


def scorers() -> dict[str, Ratio]:
    """Return the engine and the baselines."""
    return {"engine": engine_ratio()} | {name: baseline(name) for name in BASELINES}
