"""The guardrails at synth."""
