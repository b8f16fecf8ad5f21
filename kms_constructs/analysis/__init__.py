"""Who may do what with a key: sound access regions, a concrete evaluator, explain and diff. Pure."""
