"""`kms-constructs material`: imported key material, from its import to its deletion."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kms_constructs.cli import output
from kms_constructs.cli.material_options import (
    MaterialCommand,
    Source,
    all_replicas_option,
    aws_options,
    dry_run_option,
    expiry_options,
    key_options,
    kind_options,
    now,
    source_options,
    wrapping_options,
)
from kms_constructs.cli.material_output import due, shown, status_json, status_text, tell_imported, tell_plan
from kms_constructs.exit_code import ExitCode

if TYPE_CHECKING:
    from kms_constructs.runtime.material.calls import Clients
    from kms_constructs.runtime.material.expiry import Wish
    from kms_constructs.runtime.material.importing import Step
    from kms_constructs.runtime.material.keys import MaterialKey


@click.group
def material() -> None:
    """Import key material into KMS keys of origin EXTERNAL, renew, rotate and delete it.

    KEY is the id or ARN of a key, or the name or ARN of an alias. Material is never an argument: it comes
    from a file that nobody else can read, from a pipe, from a program, or is made here. It leaves this
    process wrapped under a public key of KMS.

    \b
    Examples:
      kms-constructs material import alias/prod/orders --from-file orders.key --dry-run
      kms-constructs material import alias/prod/orders --from-command 'vault read -field=key kv/orders'
      kms-constructs material status alias/prod/orders --fail-within 30
      kms-constructs material rotate alias/prod/orders --generate --save orders-2.key

    \b
    An air-gapped ceremony:
      kms-constructs material parameters alias/prod/orders -o parameters.json      # online
      kms-constructs material wrap parameters.json --from-file orders.key -o wrapped.json   # offline
      kms-constructs material upload wrapped.json                                  # online
    """


@material.command("import", cls=MaterialCommand, short_help="Wrap material and import it.")
@key_options
@source_options
@expiry_options
@all_replicas_option
@kind_options
@wrapping_options
@dry_run_option
def import_(
    *,
    clients: Clients,
    key: str,
    source: Source,
    wish: Wish,
    all_replicas: bool,
    material_id: str | None,
    description: str | None,
    algorithm: str | None,
    wrapping_key: str,
    dry_run: bool,
) -> int:
    """Wrap material and import it into KEY; the same material again renews its expiry.

    Everything is checked before anything is sent: the state of the keys, the material, the expiry. To run
    the command again is safe: KMS takes no other material than a key has had.

    \b
    Examples:
      kms-constructs material import alias/prod/orders --from-file orders.key
      kms-constructs material import alias/prod/orders --from-file orders.key --valid-for 90 --all-replicas
      kms-constructs material import alias/prod/orders --generate --save orders.key

    \b
    Exit codes: 0 imported, 2 refused, and what has to be done is said.
    """
    from kms_constructs.runtime.material.importing import Kind, import_material, keys_for, plan

    source.check()
    keys = keys_for(clients, key, all_replicas=all_replicas)
    kind = Kind(material_id=material_id, description=description)
    steps = plan(clients, keys, wish, kind, now())
    if source.generate:
        _check_first(clients, keys)
    if dry_run:
        return _rehearse(source, steps, algorithm, wrapping_key)
    with source.material(keys[0].spec) as secret:
        done = import_material(clients, steps, secret, kind, **_wrapping(algorithm, wrapping_key))
    return tell_imported(done, source.say)


@material.command(cls=MaterialCommand, short_help="Get a public key and an import token, as a file.")
@key_options
@all_replicas_option
@wrapping_options
@click.option(
    "-o",
    "--output",
    "file",
    metavar="FILE",
    type=click.Path(),
    default=output.TERMINAL,
    help="Write to a file.",
)
def parameters(
    *, clients: Clients, key: str, all_replicas: bool, algorithm: str | None, wrapping_key: str, file: str
) -> int:
    """Get the public key and the import token of KEY, for `material wrap` on another machine.

    Both are valid for 24 hours and hold no secret. Compare the fingerprint on both machines.

    \b
    Example:
      kms-constructs material parameters alias/prod/orders --all-replicas -o parameters.json
    """
    from kms_constructs.runtime.material.ceremony import parameters_text
    from kms_constructs.runtime.material.importing import keys_for, parameters_for

    keys = keys_for(clients, key, all_replicas=all_replicas)
    for one in keys:
        one.check_importable()
    found = [parameters_for(clients, one, **_wrapping(algorithm, wrapping_key)) for one in keys]
    output.write([output.Target(file, "json")], [parameters_text(found)])
    for given in found:
        output.tell(f"{given.key}: valid to {shown(given.valid_to)}; public key {given.fingerprint}")
    return ExitCode.CLEAN


@material.command(cls=MaterialCommand, short_help="Wrap material, without a network.")
@click.argument("parameters_file", metavar="PARAMETERS", type=click.Path())
@source_options
@click.option(
    "-o", "--output", "file", metavar="FILE", type=click.Path(), required=True, help="Where it goes."
)
def wrap(*, parameters_file: str, source: Source, file: str) -> int:
    """Wrap material under the public keys in PARAMETERS, on a machine that needs no network.

    \b
    Example:
      kms-constructs material wrap parameters.json --from-file orders.key -o wrapped.json
    """
    from kms_constructs.errors import MaterialError
    from kms_constructs.runtime.material.ceremony import (
        check_fresh,
        read_parameters,
        wrapped_text,
        wrapped_under,
    )
    from kms_constructs.runtime.material.specs import material_spec

    source.check()
    found = read_parameters(Path(parameters_file))
    if len({one.key_spec for one in found}) != 1:
        raise MaterialError(parameters_file, "its keys are of several specs", "wrap for each spec by itself")
    for given in found:
        check_fresh(given, now())
        output.tell(f"{given.key}: public key {given.fingerprint}")
    with source.material(material_spec(found[0].key_spec, found[0].region)) as secret:
        wrapped = [wrapped_under(given, secret) for given in found]
    output.write([output.Target(file, "json")], [wrapped_text(wrapped)])
    return ExitCode.CLEAN


@material.command(cls=MaterialCommand, short_help="Import what was wrapped elsewhere.")
@click.argument("wrapped_file", metavar="WRAPPED", type=click.Path())
@aws_options
@expiry_options
@click.option("--new", is_flag=True, help="It is other material, to rotate a symmetric key to.")
@kind_options
@dry_run_option
def upload(
    *,
    wrapped_file: str,
    clients: Clients,
    wish: Wish,
    new: bool,
    material_id: str | None,
    description: str | None,
    dry_run: bool,
) -> int:
    """Import the material in WRAPPED, which `material wrap` wrote.

    \b
    Examples:
      kms-constructs material upload wrapped.json --dry-run
      kms-constructs material upload wrapped.json --new && kms-constructs material rotate alias/prod/orders
    """
    from kms_constructs.runtime.material.ceremony import check_fresh, read_wrapped
    from kms_constructs.runtime.material.importing import Kind, plan, send
    from kms_constructs.runtime.material.keys import find_key

    if new and material_id:
        raise click.UsageError(
            "--new and --material-id contradict each other: the id is of material that is there"
        )
    wrapped = read_wrapped(Path(wrapped_file))
    for one in wrapped:
        check_fresh(one, now())
    keys = [find_key(clients, one.key) for one in wrapped]
    keys.sort(key=lambda key: key.is_replica)
    kind = Kind(new=new, material_id=material_id, description=description)
    if new:
        _check_rotation(clients, keys)
    steps = plan(clients, keys, wish, kind, now())
    if dry_run:
        return tell_plan(steps, "Checked")
    return tell_imported(send(clients, steps, wrapped, kind), click.echo)


@material.command(cls=MaterialCommand, short_help="Rotate a symmetric key to new material.")
@key_options
@source_options
@expiry_options
@click.option("--description", metavar="TEXT", help="Description of the new material, for its status.")
@wrapping_options
@dry_run_option
def rotate(
    *,
    clients: Clients,
    key: str,
    source: Source,
    wish: Wish,
    description: str | None,
    algorithm: str | None,
    wrapping_key: str,
    dry_run: bool,
) -> int:
    """Import new material into the symmetric KEY, in all its Regions, and rotate to it.

    What was encrypted before stays readable as long as the earlier materials are there: keep and renew
    them, too. Without a source the key is rotated to material that was imported before and waits.

    \b
    Examples:
      kms-constructs material rotate alias/prod/orders --from-file orders-2.key
      kms-constructs material rotate alias/prod/orders

    \b
    Exit codes: 0 rotated, 2 refused, 3 ordered, and KMS has not finished yet.
    """
    from dataclasses import replace

    from kms_constructs.errors import MaterialError
    from kms_constructs.runtime.material import materials
    from kms_constructs.runtime.material.importing import import_material, keys_for, plan

    keys = keys_for(clients, key, all_replicas=True)
    if not source.given:
        materials.check_rotatable(keys[0], materials.materials_of(clients, keys[0]))
        if dry_run:
            raise click.UsageError("--dry-run goes with --from-file, --from-command or --generate")
        return _rotate(clients, keys[0], click.echo)
    source.check()
    kind = materials.kind_of_rotation(keys[0], materials.materials_of(clients, keys[0]))
    if kind.material_id and source.generate:
        raise MaterialError(
            keys[0].arn,
            f"the material {kind.material_id} waits for its rotation already",
            "rotate to it, by the command without --generate; or delete it with --material-id first",
        )
    kind = replace(kind, description=description)
    steps = plan(clients, keys, wish, kind, now())
    if dry_run:
        return _rehearse(source, steps, algorithm, wrapping_key)
    with source.material(keys[0].spec) as secret:
        done = import_material(clients, steps, secret, kind, **_wrapping(algorithm, wrapping_key))
    tell_imported(done, source.say)
    return _rotate(clients, keys[0], source.say)


@material.command(cls=MaterialCommand, short_help="State, expiry and materials, Region by Region.")
@key_options
@click.option(
    "-f", "--format", "format_", type=click.Choice(("table", "json")), default="table", help="Format."
)
@click.option(
    "--fail-within",
    metavar="DAYS",
    type=click.IntRange(min=0),
    help="Exit with 1 when a Region's key cannot be used, or its material expires within so many days.",
)
def status(*, clients: Clients, key: str, format_: str, fail_within: int | None) -> int:
    """Show the state of KEY, its expiry and its materials, in all its Regions.

    \b
    Examples:
      kms-constructs material status alias/prod/orders
      kms-constructs material status alias/prod/orders --fail-within 30 --format json

    \b
    Exit codes: 0; with --fail-within 1 when it is time to act, 3 when that is not known.
    """
    from kms_constructs.runtime.material.importing import keys_for
    from kms_constructs.runtime.material.upkeep import status_of

    found = status_of(clients, keys_for(clients, key, all_replicas=True))
    moment = now()
    draw = status_json if format_ == "json" else status_text
    output.write([output.Target(output.TERMINAL, format_)], [draw(found, moment)])
    if fail_within is None:
        return ExitCode.CLEAN
    if any(due(one, moment, fail_within) for one in found):
        return ExitCode.VIOLATIONS
    return ExitCode.UNDETERMINED if any(one.unknown for one in found) else ExitCode.CLEAN


@material.command(cls=MaterialCommand, short_help="Delete material: the key cannot be used from then on.")
@key_options
@all_replicas_option
@click.option(
    "--material-id", metavar="ID", help="Which of a symmetric key's materials.  [default: the current]"
)
@click.option("--confirm", metavar="KEY_ID", help="The key's id, for a run without a terminal to ask at.")
def delete(
    *, clients: Clients, key: str, all_replicas: bool, material_id: str | None, confirm: str | None
) -> int:
    """Delete the material of KEY. Nothing that it encrypted can be read until the same is imported again.

    \b
    Example:
      kms-constructs material delete alias/prod/orders
    """
    from kms_constructs.runtime.material.importing import keys_for
    from kms_constructs.runtime.material.upkeep import delete_material

    keys = keys_for(clients, key, all_replicas=all_replicas)
    key_id = keys[0].arn.rpartition("/")[2]
    output.tell(
        f"This deletes {f'the material {material_id}' if material_id else 'the material'} of\n"
        + "".join(f"  {one.arn} ({one.state})\n" for one in keys)
        + "at once. Whatever the key protects cannot be read until the very same material is imported again: "
        "make sure that a copy exists.",
        colour="red",
    )
    if confirm is None:
        confirm = _asked(key_id)
    if confirm != key_id:
        raise click.UsageError(f"this is not the id of the key, so nothing was deleted. Fix: give {key_id}")
    # Replicas first: deleting from a primary key first could take waiting material from them, too.
    for one in sorted(keys, key=lambda found: not found.is_replica):
        deleted = delete_material(clients, one, material_id)
        click.echo(output.shown(f"Deleted from {one.arn}{f': material {deleted}' if deleted else ''}."))
    return ExitCode.CLEAN


def _asked(key_id: str) -> str:
    import sys

    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(f"there is no terminal to ask at. Fix: give --confirm {key_id}")
    answer: str = click.prompt(f"Type the id of the key ({key_id}) to confirm", err=True)
    return answer.strip()


def _check_first(clients: Clients, keys: Sequence[MaterialKey]) -> None:
    """New material is of no use to a key that has had other material."""
    from kms_constructs.errors import MaterialError
    from kms_constructs.runtime.material.keys import ENABLED
    from kms_constructs.runtime.material.upkeep import status_of

    for found in status_of(clients, keys):
        if found.key.state == ENABLED or found.materials:
            raise MaterialError(
                found.key.arn,
                "it has had material, and takes no other than that",
                "import that again with --from-file or --from-command; a symmetric key takes other material "
                "with kms-constructs material rotate",
            )


def _check_rotation(clients: Clients, keys: Sequence[MaterialKey]) -> None:
    from kms_constructs.errors import MaterialError
    from kms_constructs.runtime.material.materials import kind_of_rotation, materials_of

    primaries = [key for key in keys if not key.is_replica]
    for key in primaries or keys[:1]:
        kind = kind_of_rotation(key, materials_of(clients, key) if key.spec.several else ())
        if kind.material_id:
            raise MaterialError(
                key.arn,
                f"the material {kind.material_id} waits for its rotation already",
                "upload it again with --material-id, rotate to it, or delete it first",
            )


def _wrapping(algorithm: str | None, wrapping_key: str) -> dict[str, Any]:
    from kms_constructs.runtime.material.wrapping import WrappingAlgorithm, WrappingKeySpec

    return {
        "algorithm": None if algorithm is None else WrappingAlgorithm(algorithm),
        "wrapping_key": WrappingKeySpec(wrapping_key),
    }


def _rehearse(source: Source, steps: Sequence[Step], algorithm: str | None, wrapping_key: str) -> int:
    """Checks all that can be checked without asking KMS for anything."""
    from kms_constructs.runtime.material.wrapping import algorithm_for

    spec = steps[0].key.spec
    algorithm_for(spec, **_wrapping(algorithm, wrapping_key))
    if source.generate:
        return tell_plan(steps, f"Would make {spec.wanted}")
    with source.material(spec):
        return tell_plan(steps, f"The material is {spec.wanted}, as wanted")


def _rotate(clients: Clients, key: MaterialKey, say: Callable[[str], object]) -> int:
    from kms_constructs.runtime.material.materials import PATIENCE_SECONDS
    from kms_constructs.runtime.material.materials import rotate as rotated

    waits = count()

    def sleep(seconds: float) -> None:
        if next(waits) == 0:
            output.tell(f"Waiting for KMS, up to {PATIENCE_SECONDS:.0f} seconds …")
        time.sleep(seconds)

    found = rotated(clients, key, sleep=sleep)
    if found is None:
        output.tell(
            f"The rotation of {key.arn} is ordered, and not finished yet. Fix: look at material status"
        )
        return ExitCode.UNDETERMINED
    say(f"Rotated {key.arn}: material {found.id} is current.")
    return ExitCode.CLEAN
