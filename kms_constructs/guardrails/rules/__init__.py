"""One rule, one file, named for the control."""
