"""Which retraining frequencies there are: service and constructs say it each, and must say the same."""

TAKEN = ("P30D", "P1M", "P2M", "P3M15D", "P150D", "P1Y", "P12M", "P365D", "P0Y1M", "P11M30D")
TOO_SHORT = ("P", "P29D", "P0D", "P0M29D", "P0Y")
TOO_LONG = ("P366D", "P13M", "P12M1D", "P1Y1D", "P2Y", "P9Y99M999D")
REFUSED = (*TOO_SHORT, *TOO_LONG)
