"""Alarms as ranges and events, and how they compare with labelled events."""
