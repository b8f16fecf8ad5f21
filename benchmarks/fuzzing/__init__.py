"""What `fuzz_commands.py` runs: broken documents, trails, fleets and arguments, and an AWS that is none."""
