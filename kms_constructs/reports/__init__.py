"""Findings and access matrices as table, JSON, SARIF, JUnit and HTML. Pure."""
