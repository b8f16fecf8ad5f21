"""Random worlds for the guardrails, and what would refute their verdicts.

A *case* is what a template says: a key policy, IAM policies, organization policies, grants, with holes where
deployment decides. A *world* is one way in which it can be deployed, asked about concrete requests. A
*claim* is what a guardrail promises by "compliant", as the requests that would refute it.
`tests/guardrails` and `benchmarks/soundness.py` use the same cases and claims.
"""
