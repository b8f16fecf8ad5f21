"""Whether data under a key can be shared: proven by the policies first, and then tried.

A source writes an object under the key and with an encryption context, a target of another account reads it,
and an outsider must not. Nothing stays behind: the object is deleted whatever happens. No step takes another
for granted, and each says what it was proven by.

See: https://docs.aws.amazon.com/kms/latest/developerguide/key-policy-modifying-external-accounts.html
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from kms_constructs.analysis.call import Answer as Known
from kms_constructs.analysis.call import Attached, Call, Certainty, InView
from kms_constructs.analysis.certain import certain
from kms_constructs.model.arn import parse_arn
from kms_constructs.model.estate import Estate, IdentityPolicyKind, Key
from kms_constructs.model.policy import Policy
from kms_constructs.model.unknown import Unknown, is_unknown
from kms_constructs.runtime.asking import Asker, refusal_of
from kms_constructs.sources.kms_api.answers import GLOBAL, KMS, NOT_ASKED, Answer, Answers, Scope
from kms_constructs.sources.kms_api.answers import Call as Question
from kms_constructs.sources.kms_api.estate import DETAILS, estate_from_answers
from kms_constructs.sources.kms_api.identities import IAM
from kms_constructs.sources.kms_api.keys import policy_names

DENIED: Final = frozenset({"AccessDenied", "AccessDeniedException", "AllAccessDisabled", "403"})
MAY: Final = "DryRunOperationException"
"""What KMS says when a dry run would have succeeded."""
_SIZE: Final = 1024
_CLIENT_ERROR: Final = 400
_SERVER_ERROR: Final = 500
_Facts = Mapping[str, str | tuple[str, ...] | Unknown | None]


class Proof(StrEnum):
    """What a step was proven by."""

    POLICY = "policy"
    CALL = "call"


class Result(StrEnum):
    """What a step came to."""

    HOLDS = "holds"
    FAILS = "fails"
    OPEN = "not known"


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that was to be shown.

    Args:
        what: A sentence that should be true.
        proof: What it was proven by.
        result: Whether it is.
        why: What decided, or what went wrong.
    """

    what: str
    proof: Proof
    result: Result
    why: str = ""


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who takes part.

    Args:
        name: ``source``, ``target`` or ``outsider``.
        arn: ARN of its identity, as GetCallerIdentity tells it.
        client: Hands out its client of a service, in the Region of the key.
    """

    name: str
    arn: str
    client: Callable[[str], Any]

    @property
    def account(self) -> str:
        """Its account."""
        arn = parse_arn(self.arn)
        return arn.account if arn is not None else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sharing:
    """What is to be verified.

    Args:
        source: Who writes.
        target: Who reads.
        outsider: Who must not; None to leave that out.
        key_arn: ARN of the key; not an alias, for that may lie in another account.
        bucket: The bucket that is written to.
        prefix: What the object's name begins with.
        context: Encryption context of the object.
    """

    source: Party
    target: Party
    outsider: Party | None = None
    key_arn: str
    bucket: str
    prefix: str = "kms-constructs-verify-sharing/"
    context: Mapping[str, str] = field(default_factory=dict)
    name: str = field(default_factory=lambda: secrets.token_hex(16))

    @property
    def object_key(self) -> str:
        """Name of the object, which nobody else uses."""
        return f"{self.prefix}{self.name}"

    @property
    def region(self) -> str:
        """Region of the key."""
        arn = parse_arn(self.key_arn)
        return arn.region if arn is not None else ""

    @property
    def key_id(self) -> str:
        """Id of the key."""
        return self.key_arn.rpartition("/")[2]

    @property
    def key_account(self) -> str:
        """Account of the key."""
        arn = parse_arn(self.key_arn)
        return arn.account if arn is not None else ""

    def steps(self) -> Generator[Step]:
        """Shows everything, by policy and then by call; deletes the object at the end, whatever happens.

        When something else than AWS ends the run and the object could not be deleted, the error has a note of
        where it is.
        """
        answers = self._asked()
        estate = estate_from_answers(answers)
        yield from self._by_policy(answers, estate)
        yield from self._by_call(self._may_alone(answers, estate))

    # --- by policy ---------------------------------------------------------------------------------

    def _by_policy(self, answers: Answers, estate: Estate) -> Iterator[Step]:
        key = next(iter(estate.keys), None)
        for party, action, allowed in self._claims():
            verb = "may" if allowed else "may not"
            what = f"The {party.name} {verb} call kms:{action} through S3"
            if key is None:
                yield Step(
                    what, Proof.POLICY, Result.OPEN, "; ".join(_gaps(estate)) or "the key was not found"
                )
                continue
            found = self._decision(party, action, key, (answers, estate))
            yield self._static(what, found, estate, allowed=allowed)

    def _may_alone(self, answers: Answers, estate: Estate) -> bool:
        """Whether the target may decrypt without S3, by the policies: a key may be kept to S3 alone."""
        key = next(iter(estate.keys), None)
        if key is None:
            return True
        found = self._decision(self.target, "Decrypt", key, (answers, estate), through_s3=False)
        return found.answer is not Known.NEVER

    def _claims(self) -> Iterator[tuple[Party, str, bool]]:
        yield self.source, "GenerateDataKey", True
        yield self.target, "Decrypt", True
        if self.outsider is not None:
            yield self.outsider, "Decrypt", False

    def _asked(self) -> Answers:
        """The key and its policy as its account tells them, and the IAM of those who take part."""
        by_account = {one.account: one for one in reversed(self._parties())}  # of two, the first is asked
        accounts = dict.fromkeys([self.key_account, *by_account])
        scopes = tuple(
            Scope(account=one, regions=(self.region,) if one == self.key_account else ()) for one in accounts
        )
        answers = Answers(scopes)

        def question(operation: str, **parameters: str) -> Question:
            return Question.of(self.key_account, self.region, KMS, operation, **parameters)

        # This key alone is looked at.
        answers.given[question("ListKeys")] = Answer({"Keys": [{"KeyId": self.key_id}]})
        answers.given[question("ListAliases")] = Answer({"Aliases": []})
        owner = by_account.get(self.key_account, self.source)

        def client_for(account: str, _region: str, service: str) -> Any:  # noqa: ANN401 - clients have no types
            return by_account.get(account, owner).client(service)

        asker = Asker(answers, client_for)
        for operation in ("DescribeKey", "ListGrants", "ListResourceTags"):
            asker.ask(question(operation, KeyId=self.key_id))
        for name in policy_names(asker.ask(question("ListKeyPolicies", KeyId=self.key_id))):
            asker.ask(question("GetKeyPolicy", KeyId=self.key_id, PolicyName=name))
        for account in by_account:
            asker.ask(Question.of(account, GLOBAL, IAM, DETAILS))
        return answers

    def _parties(self) -> tuple[Party, ...]:
        return (self.source, self.target, *([self.outsider] if self.outsider is not None else []))

    def _decision(
        self, party: Party, action: str, key: Key, seen: tuple[Answers, Estate], *, through_s3: bool = True
    ) -> Certainty:
        """What the policies say of a call: those of the key, of the caller, and of the caller's boundary."""
        answers, estate = seen
        details = answers.of(Question.of(party.account, GLOBAL, IAM, DETAILS))
        arn, listed = _identity(party.arn, details)
        call = Call(principal=arn, action=action, context=self._facts(through_s3=through_s3))
        return certain(call, key, _view(arn, party.account, estate, listed=listed))

    @staticmethod
    def _static(what: str, found: Certainty, estate: Estate, *, allowed: bool) -> Step:
        wanted, refuted = (Known.CERTAIN, Known.NEVER) if allowed else (Known.NEVER, Known.CERTAIN)
        if found.answer is wanted:
            return Step(what, Proof.POLICY, Result.HOLDS, _decided(found) or "nothing allows it")
        if found.answer is refuted:
            return Step(what, Proof.POLICY, Result.FAILS, _decided(found) or "nothing allows it")
        open_ = [
            *found.missing,
            *(one.why for one in (*found.allows, *found.denies) if one.why),
            *_gaps(estate),
        ]
        return Step(
            what, Proof.POLICY, Result.OPEN, "; ".join(dict.fromkeys(open_)) or "the policies leave it open"
        )

    def _facts(self, *, through_s3: bool) -> _Facts:
        """What a call to KMS carries for this object, made by S3 or by a caller itself."""
        context = dict(self.context)
        service: dict[str, str | tuple[str, ...] | Unknown | None] = {"kms:viaservice": None}
        if through_s3:
            partition = self.key_arn.split(":")[1]
            context["aws:s3:arn"] = f"arn:{partition}:s3:::{self.bucket}/{self.object_key}"
            service = {"kms:viaservice": f"s3.{self.region}.amazonaws.com"}
        return {
            **service,
            **{f"kms:encryptioncontext:{name.lower()}": value for name, value in context.items()},
            "kms:encryptioncontextkeys": tuple(context) or None,
        }

    # --- by call -----------------------------------------------------------------------------------

    def _by_call(self, may_alone: bool) -> Generator[Step]:
        body = secrets.token_bytes(_SIZE)
        written = _Written()
        try:
            yield self._writes(body, written)
            if written.there:
                yield self._reads(body)
                if self.outsider is not None:
                    yield self._refused("The outsider cannot read it", self.outsider)
            if self.outsider is not None:
                yield self._dry_run("The outsider may not decrypt by itself", self.outsider, allowed=False)
            verb = "may" if may_alone else "may not"
            yield self._dry_run(f"The target {verb} decrypt by itself", self.target, allowed=may_alone)
        except BaseException as error:
            cleaned = self._clean(written)
            if cleaned.result is not Result.HOLDS:
                error.add_note(f"{cleaned.what} is {cleaned.result.value}: {cleaned.why}")
            raise
        yield self._clean(written)

    def _writes(self, body: bytes, written: _Written) -> Step:
        """Writes the object, and notes its version, if it has one, and whether it is there."""
        what = "The source writes an object under the key, with the encryption context"
        context = base64.b64encode(json.dumps(dict(self.context)).encode()).decode()
        try:
            answer = self.source.client("s3").put_object(
                Bucket=self.bucket,
                Key=self.object_key,
                Body=body,
                ServerSideEncryption="aws:kms",
                SSEKMSKeyId=self.key_arn,
                SSEKMSEncryptionContext=context,
            )
        except (ClientError, BotoCoreError) as error:
            written.refused = _is_refused(error)
            return Step(what, Proof.CALL, _failed(error), str(refusal_of(error)))
        written.there = True
        written.version = str(answer.get("VersionId") or "")
        used = answer.get("SSEKMSKeyId", "")
        same = used == self.key_arn
        why = f"S3 says it used {used or 'no key of KMS'}"
        return Step(what, Proof.CALL, Result.HOLDS if same else Result.FAILS, why)

    def _reads(self, body: bytes) -> Step:
        what = "The target reads what the source wrote"
        try:
            got = self.target.client("s3").get_object(Bucket=self.bucket, Key=self.object_key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            return Step(what, Proof.CALL, _failed(error), str(refusal_of(error)))
        same = hashlib.sha256(got).digest() == hashlib.sha256(body).digest()
        return Step(
            what,
            Proof.CALL,
            Result.HOLDS if same else Result.FAILS,
            "the SHA-256 digests are equal" if same else "the SHA-256 digests differ",
        )

    def _refused(self, what: str, party: Party) -> Step:
        try:
            party.client("s3").get_object(Bucket=self.bucket, Key=self.object_key)
        except (ClientError, BotoCoreError) as error:
            refusal = refusal_of(error)
            return Step(
                what, Proof.CALL, Result.HOLDS if refusal.code in DENIED else Result.OPEN, str(refusal)
            )
        return Step(what, Proof.CALL, Result.FAILS, "it could read the object")

    def _dry_run(self, what: str, party: Party, *, allowed: bool) -> Step:
        """A permission check without a ciphertext; a key that only S3 may use refuses it to everybody."""
        try:
            party.client("kms").decrypt(
                KeyId=self.key_arn,
                EncryptionContext=dict(self.context),
                DryRun=True,
                DryRunModifiers=["IGNORE_CIPHERTEXT"],
            )
        except (ClientError, BotoCoreError) as error:
            refusal = refusal_of(error)
            if refusal.code == MAY:
                return Step(what, Proof.CALL, Result.HOLDS if allowed else Result.FAILS, "a dry run says so")
            if refusal.code in DENIED and not allowed:
                return Step(what, Proof.CALL, Result.HOLDS, "a dry run was refused")
            why = (
                f"{refusal}; a key that is used through S3 alone refuses it, too" if allowed else str(refusal)
            )
            return Step(what, Proof.CALL, Result.OPEN, why)
        return Step(what, Proof.CALL, Result.OPEN, "a dry run said neither yes nor no")

    def _clean(self, written: _Written) -> Step:
        """Deletes what was written, or may have been: a write that brought no answer may have happened."""
        what = "The object is gone"
        if written.refused:
            return Step(what, Proof.CALL, Result.HOLDS, "none was written")
        place = f"s3://{self.bucket}/{self.object_key}"
        try:
            s3 = self.source.client("s3")
            versions = [written.version] if written.there else self._versions(s3)
            for version in versions:
                more = {"VersionId": version} if version else {}
                s3.delete_object(Bucket=self.bucket, Key=self.object_key, **more)
        except (ClientError, BotoCoreError) as error:
            failed = Result.FAILS if written.there else Result.OPEN
            return Step(what, Proof.CALL, failed, f"{refusal_of(error)}; delete {place} by hand")
        return Step(what, Proof.CALL, Result.HOLDS, "it was deleted" if versions else "none was written")

    def _versions(self, s3: Any) -> list[str]:  # noqa: ANN401 - clients have no types
        """The versions of the object that there are; without that, a deletion would leave them behind."""
        listed = s3.list_object_versions(Bucket=self.bucket, Prefix=self.object_key)
        found = [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]
        versions = [str(one.get("VersionId") or "") for one in found if one.get("Key") == self.object_key]
        return ["" if one == "null" else one for one in versions]


@dataclass(slots=True)
class _Written:
    """What is known of the object: whether it is there, or certainly is not, and its version."""

    refused: bool = False
    there: bool = False
    version: str = ""


def _failed(error: ClientError | BotoCoreError) -> Result:
    """A call that was refused failed; what happened on the way says nothing of permissions."""
    return Result.FAILS if isinstance(error, ClientError) else Result.OPEN


def _is_refused(error: ClientError | BotoCoreError) -> bool:
    """Whether S3 has certainly not carried out a call: it said that the request is at fault."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return _CLIENT_ERROR <= status < _SERVER_ERROR or refusal_of(error).code in DENIED


def _identity(arn: str, details: Answer) -> tuple[str, bool]:
    """The role or user behind an identity, and whether the account's IAM lists it with what it has."""
    parts = parse_arn(arn)
    if parts is None or parts.resource == "root":
        return arn, parts is not None
    if not parts.resource.startswith("assumed-role/"):
        return arn, any(one.get("Arn") == arn for one in details.items("UserDetailList"))
    name = parts.resource.split("/")[1]
    role = next((one for one in details.items("RoleDetailList") if one.get("RoleName") == name), None)
    if role is None:
        return f"arn:{parts.partition}:iam::{parts.account}:role/{name}", False
    return str(role.get("Arn")), True


def _view(arn: str, account: str, estate: Estate, *, listed: bool) -> InView:
    """The IAM policies of a caller, and its permissions boundary."""
    mine: list[Attached] = []
    boundaries: list[Attached] = []
    for one in estate.identity_policies:
        if one.account != account:
            continue
        into = boundaries if one.kind is IdentityPolicyKind.BOUNDARY else mine
        if is_unknown(one.attached_to):
            into.append(Attached(one.policy, one.name, certain=False))
        elif arn in one.attached_to:
            into.append(Attached(one.policy, one.name))
    if not listed:
        why = Unknown(f"GetAccountAuthorizationDetails does not list {arn}")
        mine.append(Attached(Policy(unknown=why), "of the caller", certain=False))
    return InView(identity=tuple(mine), boundaries=tuple(boundaries))


def _decided(found: Certainty) -> str:
    """What decides: what is certain of it, and of what is refused the Denies alone."""
    steps = found.denies if found.answer is Known.NEVER else (*found.denies, *found.allows)
    return "; ".join(dict.fromkeys(one.label for one in steps if one.certain))


def _gaps(estate: Estate) -> Iterator[str]:
    for gap in estate.unanswered:
        if gap.code != NOT_ASKED.code:
            yield f"{gap.call} brought {gap.code}"
