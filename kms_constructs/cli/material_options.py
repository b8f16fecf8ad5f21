"""The options that the commands on key material share, and the material that they lead to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from kms_constructs.errors import how_to_install
from kms_constructs.model.frozen import Frozen

if TYPE_CHECKING:
    from kms_constructs.runtime.material.calls import Clients
    from kms_constructs.runtime.material.expiry import Wish
    from kms_constructs.runtime.material.secret import Secret
    from kms_constructs.runtime.material.specs import MaterialSpec

_Function = Callable[..., Any]
_EXTRA = frozenset({"boto3", "botocore", "cryptography"})
_ALGORITHMS = ("RSAES_OAEP_SHA_256", "RSA_AES_KEY_WRAP_SHA_256")
_WRAPPING_KEYS = ("RSA_2048", "RSA_3072", "RSA_4096")


class MaterialCommand(click.Command):
    """A command that refuses key material among its arguments, and does not repeat it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Looks at the arguments before click would show a wrong one."""
        from kms_constructs.runtime.material.leaks import looks_secret

        before = ""
        for text in args:
            value = text.partition("=")[2] if text.startswith("--") and "=" in text else text
            if "--material-id" not in {before, text.partition("=")[0]} and looks_secret(value):
                raise click.UsageError(
                    "an argument looks like key material (it is not repeated here). Fix: hand the material "
                    "over in a file of mode 0600 or a pipe, and make it anew: histories and the list "
                    "of processes show arguments",
                    ctx,
                )
            before = text
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - whatever the command returns
        """Says which extra is missing, where one is."""
        try:
            return super().invoke(ctx)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _EXTRA:
                raise
            raise click.UsageError(
                f"{error.name} is not installed. Fix: {how_to_install('material')}", ctx
            ) from error


class Source(Frozen, frozen=True):
    """Where the material comes from, as the options say.

    Args:
        file: Name of a file, or ``-``.
        command: A program and its arguments.
        generate: Whether it is made.
        encoding: How it is written.
        save: Where generated material is kept; None for nowhere.
        save_under: File of the public key (PEM) under which it is kept.
        discard: Whether the caller said to keep it nowhere.
    """

    file: str | None
    command: str | None
    generate: bool
    encoding: str
    save: str | None
    save_under: str | None
    discard: bool

    @property
    def given(self) -> bool:
        """Whether there is any."""
        return self.generate or self.file is not None or self.command is not None

    def check(self) -> None:
        """Refuses options that contradict each other, before anything is done.

        Raises:
            click.UsageError: They do, or generated material would be lost.
        """
        if [self.generate, self.file is not None, self.command is not None].count(True) != 1:
            raise click.UsageError("give one of --from-file, --from-command and --generate")
        if not self.generate and (self.save or self.save_under or self.discard):
            raise click.UsageError("--save, --save-under and --discard go with --generate")
        if self.save_under and not self.save:
            raise click.UsageError("--save-under goes with --save")
        if self.generate and bool(self.save) == self.discard:
            raise click.UsageError(
                "--generate: when the material expires, only a copy of it brings the key back. Fix: give "
                "--save FILE, with --save-under PUBLIC_KEY to have it wrapped, or say --discard to keep none"
            )
        if self.save:
            from kms_constructs.runtime.material.origins import check_keepable

            check_keepable(self.save)

    @contextlib.contextmanager
    def material(self, spec: MaterialSpec) -> Iterator[Secret]:
        """The material, checked; generated material has been kept where it was asked for.

        Raises:
            MaterialError: It cannot be read, is refused, or cannot be kept.
        """
        from kms_constructs.runtime.material import leaks, origins, specs

        if self.generate:
            with specs.generate(spec) as made:
                self._keep(made, spec)
                yield made
            return
        if self.file is not None:
            raw, where = origins.from_file(self.file), f"--from-file {self.file}"
        else:
            raw, where = origins.from_command(str(self.command)), "--from-command"
        with raw, specs.checked(spec, raw, specs.TextEncoding(self.encoding), where=where) as found:
            leaks.check_unexposed(found, sys.argv, os.environ)
            yield found

    def _keep(self, made: Secret, spec: MaterialSpec) -> None:
        from kms_constructs.runtime.material.origins import keep

        if self.save is None:
            return
        if self.save_under is None:
            keep(self.save, made.view)
            return
        from kms_constructs.runtime.material import wrapping

        key = wrapping.public_key_from_pem(Path(self.save_under))
        algorithm = wrapping.algorithm_for(spec, None, wrapping.WrappingKeySpec(f"RSA_{key.key_size}"))
        keep(self.save, wrapping.wrap(made, key, algorithm, f"--save-under {self.save_under}"))

    @property
    def say(self) -> Callable[[str], object]:
        """Says something where generated material does not go."""
        from kms_constructs.cli import output

        return output.tell if self.save == "-" else click.echo


def source_options(function: _Function) -> _Function:
    """Where the material comes from: as one argument, `source`."""

    @wraps(function)
    def with_source(
        *,
        from_file: str | None,
        from_command: str | None,
        generate: bool,
        encoding: str,
        save: str | None,
        save_under: str | None,
        discard: bool,
        **others: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401 - whatever the command returns
        source = Source(from_file, from_command, generate, encoding, save, save_under, discard)
        return function(source=source, **others)

    return _with(
        with_source,
        click.option(
            "--from-file", metavar="FILE", help="Read the material from a file of mode 0600; - for a pipe."
        ),
        click.option(
            "--from-command",
            metavar="COMMAND",
            help="Take what a program writes to its standard output; no shell is in between.",
        ),
        click.option("--generate", is_flag=True, help="Make new material."),
        click.option(
            "--encoding",
            type=click.Choice(("raw", "hex", "base64")),
            default="raw",
            help="How the material is written; PEM is known by itself.  [default: raw]",
        ),
        click.option(
            "--save", metavar="FILE", help="Keep generated material in a new file of mode 0600; - for a pipe."
        ),
        click.option(
            "--save-under",
            metavar="PUBLIC_KEY",
            type=click.Path(),
            help="Keep it wrapped under this RSA public key (PEM) instead of plain.",
        ),
        click.option("--discard", is_flag=True, help="Keep no copy of generated material."),
    )


def expiry_options(function: _Function) -> _Function:
    """Until when it is valid: as one argument, `wish`."""

    @wraps(function)
    def with_wish(
        *,
        valid_to: date | datetime | None,
        valid_for: int | None,
        never_expires: bool,
        **others: Any,  # noqa: ANN401 - the command's own options
    ) -> Any:  # noqa: ANN401 - whatever the command returns
        if [valid_to is not None, valid_for is not None, never_expires].count(True) > 1:
            raise click.UsageError("give one of --valid-to, --valid-for and --never-expires")
        return function(wish=_wish(valid_to, valid_for, never_expires), **others)

    return _with(
        with_wish,
        click.option(
            "--valid-to",
            metavar="DATE",
            callback=_moment,
            help="Expire at the end of this day (UTC), or at this moment: 2027-01-31, 2027-01-31T12:00:00Z; "
            "at most 365 days ahead.  [default: what the tag kms:material-expires of the key says]",
        ),
        click.option(
            "--valid-for", metavar="DAYS", type=int, help="Expire this many days from now, 1 to 365."
        ),
        click.option("--never-expires", is_flag=True, help="Do not expire."),
    )


def _wish(valid_to: date | datetime | None, valid_for: int | None, never: bool) -> Wish:
    from kms_constructs.runtime.material.expiry import Wish

    return Wish(valid_to, valid_for, never)


def _moment(context: click.Context, parameter: click.Parameter, value: str | None) -> date | datetime | None:
    if value is None:
        return None
    with contextlib.suppress(ValueError):
        return date.fromisoformat(value)
    with contextlib.suppress(ValueError):
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is not None:
            return moment
    raise click.BadParameter(
        f"{value!r} is neither a day nor a moment with its offset: 2027-01-31, 2027-01-31T12:00:00Z",
        context,
        parameter,
    )


def key_options(function: _Function) -> _Function:
    """``KEY``, and how AWS is reached: `key` and `clients`."""
    return click.argument("key", metavar="KEY")(aws_options(function))


def aws_options(function: _Function) -> _Function:
    """How AWS is reached: as one argument, `clients`."""

    @wraps(function)
    def with_clients(*, profile: str | None, region: str | None, **others: Any) -> Any:  # noqa: ANN401
        return function(clients=_clients(profile, region), **others)

    return _with(
        with_clients,
        click.option("--profile", metavar="NAME", help="Profile of the AWS configuration."),
        click.option(
            "--region", metavar="REGION", help="Region of the key, where its name does not tell it."
        ),
    )


def _clients(profile: str | None, region: str | None) -> Clients:
    from kms_constructs.runtime.material.calls import clients_of

    return clients_of(profile, region)


def wrapping_options(function: _Function) -> _Function:
    """How the material is wrapped: `algorithm` and `wrapping_key`."""
    return _with(
        function,
        click.option(
            "--wrapping-algorithm",
            "algorithm",
            type=click.Choice(_ALGORITHMS),
            help="How the material is wrapped.  [default: RSA_AES_KEY_WRAP_SHA_256 for private keys, else "
            "RSAES_OAEP_SHA_256]",
        ),
        click.option(
            "--wrapping-key-spec",
            "wrapping_key",
            type=click.Choice(_WRAPPING_KEYS),
            default=_WRAPPING_KEYS[-1],
            help=f"The public key that KMS is asked for.  [default: {_WRAPPING_KEYS[-1]}]",
        ),
    )


def kind_options(function: _Function) -> _Function:
    """Which of a symmetric key's materials it is: `material_id` and `description`."""
    return _with(
        function,
        click.option(
            "--material-id",
            metavar="ID",
            help="Which of a symmetric key's materials it is; KMS refuses any other.",
        ),
        click.option(
            "--description", metavar="TEXT", help="Description of a symmetric key's material, for its status."
        ),
    )


all_replicas_option = click.option(
    "--all-replicas", is_flag=True, help="All Regions of a multi-Region key, its primary first."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Check everything, and change nothing.")


def now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def _with(function: _Function, *options: Callable[[_Function], _Function]) -> _Function:
    for option in reversed(options):
        function = option(function)
    return function


__all__: Sequence[str] = [
    "MaterialCommand",
    "Source",
    "all_replicas_option",
    "aws_options",
    "dry_run_option",
    "expiry_options",
    "key_options",
    "kind_options",
    "now",
    "source_options",
    "wrapping_options",
]
