"""What services need, as a table: ``python -m tools.services_table --write docs/reference/services.md``."""

from __future__ import annotations

from kms_constructs.model.services import requirements
from tools.generated_table import GeneratedTable, table


def markdown_table() -> str:
    """Every resource that uses a key: construct, who calls KMS, what lets it, what CDK or AWS leaves out."""
    known = [(one, requirement) for requirement in requirements().values() for one in requirement.rows]
    rows = [
        (
            one.resource,
            f"`{one.construct}`",
            one.caller.replace("<region>", "&lt;region&gt;"),
            one.argument,
            "refused" if one.refused else "",
            " ".join(requirement.undocumented),
        )
        for one, requirement in sorted(known, key=lambda row: row[0].resource.lower())
    ]
    return table(
        (
            "Resource",
            "Construct",
            "Who calls KMS",
            "What lets it",
            "Without it",
            "What AWS does not document",
        ),
        rows,
    )


TABLE = GeneratedTable("services", markdown_table)

if __name__ == "__main__":
    raise SystemExit(TABLE.main())
