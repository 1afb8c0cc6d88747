"""The detector: features, views, scores, alarms, and the state carried from window to window."""
