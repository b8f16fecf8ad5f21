"""Constructs that watch keys: rules, topics, alarms, a dashboard, and the way to a central account."""
