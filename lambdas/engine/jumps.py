import numpy as np
from engine.transform import ewma
HELD=(1.0,1.5)
FLOOR=0.02

def follow(scaled, before, span, reach):
    level = ewma(scaled, before, span)
    prior = np.concatenate([before[None], level[:-1]])
    far = np.flatnonzero((np.abs(scaled - prior) > HELD[0] * reach).any(axis=0))
    if not len(far):
        return level, None
    hold = np.ones(scaled.shape)
    gain = 2 / (span + 1)
    rows, reach, last = scaled[:, far], reach[far], before[far]
    low, high = HELD
    for at, row in enumerate(rows):
        gap = row - last
        part = np.clip((high - np.abs(gap) / reach) / (high - low), FLOOR, 1)
        part[np.abs(row) < np.abs(last)] = 1
        last = last + gain * part * gap
        hold[at, far] = part
        level[at, far] = last
    return level, hold
