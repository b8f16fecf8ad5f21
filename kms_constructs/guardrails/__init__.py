"""The guardrail catalogue, its configuration, the engine, and one file per rule. Pure."""
