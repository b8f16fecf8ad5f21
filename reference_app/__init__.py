"""The reference application: a hardened key per environment, and a stack that uses it as applications do."""
