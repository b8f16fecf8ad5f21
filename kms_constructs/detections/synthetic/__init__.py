"""Trails that never happened, with planted incidents that are told: for trying, tests and benchmarks."""
