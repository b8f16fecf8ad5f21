"""What CloudTrail recorded about keys: its store, and what is asked of it.

Needs the extra `trail`. DuckDB and sqlglot are imported here alone, and only when something is asked.
"""
