"""The whole chain in one run: deployed, audited, watched, changed by hand, shared, and read in a trail."""
