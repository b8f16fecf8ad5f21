"""The kms-constructs command: one file a command, and nothing heavy loaded before it is needed."""
