"""The sequences of the conformance suite.

A scenario plays one of them for one kind of resource and raises AssertionError when an invariant breaks.
The mutation check plays the same functions against broken handlers.
"""

from tests.lifecycle.play import Scenario
from tests.lifecycle.scenarios_events import (
    abandoned_cleanup,
    attributes,
    cancelled_creation,
    cancelled_update,
    clash,
    create_and_delete,
    deletion_before_creation,
    foreign_name,
    late_delete,
    overtaken_creation,
    replacement_fails,
    replays,
    request_id_comes_again,
    sibling_fails_after_replacement,
    sibling_fails_after_update,
    two_stacks,
    update_in_place,
    update_replaces,
)
from tests.lifecycle.scenarios_faults import (
    broken_for_good,
    broken_now_and_then,
    creation_fails,
    deletion_fails_once,
    late_rights,
    long_message,
    rough_weather,
    single_faults,
    update_fails_and_rolls_back,
)
from tests.lifecycle.scenarios_service import (
    blocked_deletion,
    cut_short,
    deleted_outside,
    drift,
    late_visibility,
    one_scheduler_per_model,
    quota,
    removed_delay,
    retained,
    strict_service,
    too_slow,
    unready_role,
    waits_for_what_it_needs,
    without_waiting,
    wrong_properties,
)

SCENARIOS: tuple[Scenario, ...] = (
    create_and_delete,
    attributes,
    update_in_place,
    update_replaces,
    clash,
    replacement_fails,
    sibling_fails_after_replacement,
    sibling_fails_after_update,
    foreign_name,
    deleted_outside,
    drift,
    two_stacks,
    without_waiting,
    waits_for_what_it_needs,
    blocked_deletion,
    too_slow,
    strict_service,
    cut_short,
    one_scheduler_per_model,
    removed_delay,
    quota,
    retained,
    deletion_before_creation,
    cancelled_creation,
    cancelled_update,
    replays,
    late_delete,
    late_visibility,
    unready_role,
    late_rights,
    broken_for_good,
    broken_now_and_then,
    wrong_properties,
    request_id_comes_again,
    abandoned_cleanup,
    long_message,
)

# These go through every call of a life with every fault.
EXHAUSTIVE: tuple[Scenario, ...] = (
    creation_fails,
    deletion_fails_once,
    overtaken_creation,
    update_fails_and_rolls_back,
    rough_weather,
    single_faults,
)
