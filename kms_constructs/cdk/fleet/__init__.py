"""Many keys from one file."""
