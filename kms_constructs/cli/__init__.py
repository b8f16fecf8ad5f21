"""The kms-constructs command: commands, options, exit codes."""
