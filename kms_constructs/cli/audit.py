"""`kms-constructs audit`: judges the live keys of accounts by the guardrails."""

from __future__ import annotations

import os
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from kms_constructs.cli import output
from kms_constructs.cli.boto import needing_boto3
from kms_constructs.cli.judging import Judging, judging_options
from kms_constructs.errors import SourceError
from kms_constructs.model.frozen import Frozen
from kms_constructs.reports.formats import AUDITED, Audited, Judged

if TYPE_CHECKING:
    from kms_constructs.guardrails.finding import Report
    from kms_constructs.model.estate import Estate
    from kms_constructs.sources.kms_api.answers import Answers


@click.command
@click.option(
    "--profile", "profiles", metavar="NAME", multiple=True, help="Profile to ask with. May be repeated."
)
@click.option("--role-arn", metavar="ARN", help="Role to assume; {account} in it stands for each account.")
@click.option(
    "--region", "regions", metavar="REGION", multiple=True,
    help="Region to audit. May be repeated.  [default: all that are enabled]",
)  # fmt: skip
@click.option(
    "--accounts", metavar="LIST",
    help="Account ids with commas, or `organization` for every active account of AWS Organizations, with its "
    "SCPs and RCPs.",
)  # fmt: skip
@click.option(
    "--last-usage/--no-last-usage", default=None,
    help="Ask when each key was last used; KMS answers five times a second.  [default: last-usage]",
)  # fmt: skip
@click.option("--save", metavar="FILE", type=click.Path(), help="Save what AWS answered, to judge it again.")
@click.option("--offline", metavar="FILE", type=click.Path(), help="Judge saved answers; asks AWS nothing.")
@click.option(
    "--resume", metavar="FILE", type=click.Path(),
    help="Keep answers here as they come, and ask only what is not here yet.",
)  # fmt: skip
@click.option(
    "--against", metavar="PATH", multiple=True, type=click.Path(),
    help="Tell how keys differ from what this template, cdk.out or plan declares. May be repeated.",
)  # fmt: skip
@click.option(
    "--last-use", metavar="FILE", type=click.Path(),
    help="Take later uses of keys from what `kms-constructs trail report --report last-use -f json` wrote.",
)  # fmt: skip
@judging_options(AUDITED.names)
def audit(
    *,
    profiles: tuple[str, ...],
    role_arn: str | None,
    regions: tuple[str, ...],
    accounts: str | None,
    last_usage: bool | None,
    save: str | None,
    offline: str | None,
    resume: str | None,
    against: tuple[str, ...],
    last_use: str | None,
    judging: Judging,
) -> int:
    """Judge the customer managed keys of live accounts by the same guardrails as templates.

    Asks for the keys with their policies, rotation, aliases, tags, grants, replicas and last usage, the
    account's IAM policies and its trails; it changes nothing. What AWS does not answer is undetermined, and
    names the call. Needs the extra `runtime`, unless --offline is given.

    \b
    Examples:
      kms-constructs audit
      kms-constructs audit --profile prod --region eu-west-1 --region us-east-1 -o audit.html -o -
      kms-constructs audit --accounts organization --role-arn 'arn:aws:iam::{account}:role/Audit'
      kms-constructs audit --save today.json --resume today.journal
      kms-constructs audit --offline today.json --against cdk.out
      kms-constructs audit --no-last-usage --last-use used.json
      kms-constructs diff yesterday.json today.json

    \b
    Exit codes: those of `kms-constructs check`; 3 when some call brought no answer and nothing is worse.
    """
    asked = _Asked(profiles, role_arn, regions, accounts, last_usage, save, resume)
    if offline is not None and asked.anything:
        raise click.UsageError("--offline asks AWS nothing. Fix: leave out the options that say whom to ask")

    def read() -> Estate:
        from kms_constructs.sources.kms_api.estate import estate_from_answers

        if offline is not None:
            with output.working("Reading"):
                estate = estate_from_answers(saved_answers(offline))
        else:
            estate = estate_from_answers(asked.answers())
        return _held_against(_with_last_use(estate, last_use), against)

    return judging.run(read, AUDITED, _shown, "There is no customer managed key in what was asked.")


def _shown(report: Report, estate: Estate, judging: Judging) -> Audited:
    return Audited(
        Judged(report, estate, everything=judging.everything, quiet=judging.quiet, verbose=judging.verbose)
    )


def saved_answers(file: str) -> Answers:
    """The answers in a file that `audit --save` wrote.

    Raises:
        SourceError: It holds something else.
    """
    from collections.abc import Mapping

    from kms_constructs.sources.decode import decode, read_text
    from kms_constructs.sources.kms_api.answers import read_answers
    from kms_constructs.sources.kms_api.form import FORMAT
    from kms_constructs.sources.plain import plain

    content = plain(decode(read_text(Path(file), file), file))
    if not isinstance(content, Mapping) or FORMAT not in content:
        raise SourceError(file, "it holds no saved answers", "Give what kms-constructs audit --save wrote")
    return read_answers(content, file)


def _with_last_use(estate: Estate, file: str | None) -> Estate:
    if file is None:
        return estate
    from kms_constructs.sources.decode import decode, read_text
    from kms_constructs.sources.kms_api.last_use import with_last_use
    from kms_constructs.sources.plain import plain

    return with_last_use(estate, plain(decode(read_text(Path(file), file), file)), file)


def _held_against(estate: Estate, paths: tuple[str, ...]) -> Estate:
    if not paths:
        return estate
    from kms_constructs.sources import load

    declared = load([Path(path) for path in paths])
    problems = declared.problems
    if not declared.keys and not problems:
        raise SourceError(", ".join(paths), "it declares no key", "Give what the keys were deployed from")
    return replace(estate, expected=declared.keys, problems=(*estate.problems, *problems))


class _Asked(Frozen, frozen=True):
    """Whom to ask, and where to keep what is answered."""

    profiles: tuple[str, ...]
    role_arn: str | None
    regions: tuple[str, ...]
    accounts: str | None
    last_usage: bool | None
    save: str | None
    resume: str | None

    @property
    def anything(self) -> bool:
        """Whether anything was said that only makes sense when AWS is asked."""
        said = (self.profiles, self.role_arn, self.regions, self.accounts, self.save, self.resume)
        return any(said) or self.last_usage is not None

    def answers(self) -> Answers:
        """What AWS answers."""
        with needing_boto3("audit"):
            from kms_constructs.runtime import asking, inventory, sessions
            from kms_constructs.runtime.journal import Journal
        from kms_constructs.reports.text import counted
        from kms_constructs.sources.kms_api.answers import Answers

        wanted = sessions.Wanted(
            profiles=self.profiles,
            role_arn=self.role_arn,
            regions=self.regions,
            accounts=tuple(one.strip() for one in (self.accounts or "").split(",") if one.strip()),
            last_usage=self.last_usage is not False,
        )
        if self.save is not None:
            _check_writable(Path(self.save))
        with output.progress("Signing in"):
            found = sessions.sessions_for(wanted)
        for region in sessions.unheard_of(self.regions):
            output.tell(f"boto3 knows no Region {region}: is it spelt right?", colour="yellow")
        answers = Answers(tuple(found.scopes))
        journal = None if self.resume is None else Journal(Path(self.resume))
        if journal is not None:
            earlier = journal.read_into(answers)
            days = sorted({answer.day for answer in answers.given.values()})
            if earlier:
                since = days[0] if days[0] == days[-1] else f"{days[0]} to {days[-1]}"
                output.tell(f"{self.resume} has {counted(earlier, 'answer')} of {since} already.")
        try:
            with journal or nullcontext(), output.bar("Asking AWS") as bar:
                asker = asking.Asker(answers, found.client, kept=None if journal is None else journal.keep)
                inventory.Inventory(asker, bar).run()
        finally:
            if self.save is not None:
                _write(Path(self.save), answers)
        return answers


def _check_writable(file: Path) -> None:
    """That answers can be written, before they are asked for: asking may take long.

    Raises:
        SourceError: They cannot.
    """
    where = file if file.exists() else file.absolute().parent
    if file.is_dir() or not where.exists() or not os.access(where, os.W_OK):
        raise SourceError(str(file), "it cannot be written", "Check the directory and its permissions")


def _write(file: Path, answers: Answers) -> None:
    """Writes answers for their owner alone: they say who may do what in the account."""

    def opener(path: str, flags: int) -> Any:  # noqa: ANN401 - a file descriptor
        return os.open(path, flags, 0o600)

    try:
        with open(file, "w", encoding="utf-8", opener=opener) as stream:
            stream.write(answers.to_text())
    except OSError as error:
        raise SourceError(
            str(file), f"it cannot be written: {error.strerror}", "Check the directory and its permissions"
        ) from error
