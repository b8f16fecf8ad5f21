"""The rules: one file and one class for each control of the catalogue."""
