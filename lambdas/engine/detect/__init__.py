"""The detector: features, views, scores, alarms, and the state that scoring carries on."""
