"""A cloud assembly by itself, for those who want to know more of it than its estate."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from kms_constructs.errors import SourceError
from kms_constructs.model.estate import Deployment, Estate, SourceProblem
from kms_constructs.sources.cloudformation.assembly import Assembly, open_assembly
from kms_constructs.sources.cloudformation.reader import CloudFormationReader
from kms_constructs.sources.files import OrganizationPolicy, estate_of


def read_cloud_assembly(
    directory: Path,
    deployment: Deployment,
    *,
    scps: Sequence[OrganizationPolicy] = (),
    rcps: Sequence[OrganizationPolicy] = (),
) -> tuple[Assembly, Estate]:
    """A cloud assembly, and its estate: what `load` makes of the directory.

    Args:
        directory: The outermost directory of the assembly.
        deployment: What the assembly does not say itself.
        scps: The service control policies in force: JSON files, or plain data.
        rcps: The resource control policies in force.

    Raises:
        SourceError: The directory is no cloud assembly.
    """
    opened = open_assembly(directory)
    if opened is None:
        raise SourceError(str(directory), "it is no cloud assembly", "Synthesize the app again")
    problems: list[SourceProblem] = []
    reader = CloudFormationReader(deployment, problems)
    assembly = reader.add_assembly(opened)
    return assembly, estate_of((reader,), deployment, problems, scps, rcps)
