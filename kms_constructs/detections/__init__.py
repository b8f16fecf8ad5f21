"""What to watch for: one list, made from the guardrail catalogue, for live rules and for recorded trails."""
