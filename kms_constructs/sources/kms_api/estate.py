"""Answers of live accounts as one estate."""

from __future__ import annotations

from msgspec.structs import replace

from kms_constructs.model.estate import Estate, Location, Organization, Trail
from kms_constructs.model.live import Unanswered
from kms_constructs.sources.kms_api.answers import GLOBAL, Answers, Call, Scope
from kms_constructs.sources.kms_api.identities import IAM, Identities
from kms_constructs.sources.kms_api.keys import Keys, unanswered
from kms_constructs.sources.kms_api.organization import OrganizationPolicies
from kms_constructs.sources.kms_api.trails import Trails

DETAILS = "GetAccountAuthorizationDetails"


def estate_from_answers(answers: Answers) -> Estate:
    """Everything that the answers say of keys and of who may use them.

    What was not answered is unknown, and told in `Estate.unanswered`; it is never taken to be absent. Keys
    that AWS manages are left out, for nobody can change them. The same answers make the same estate, whether
    they were given now or come from a file: findings keep their fingerprints.

    Args:
        answers: What was answered.

    Example:
        >>> estate_from_answers(Answers()).keys
        ()
    """
    merged = Estate.merge(Estate(), *(_account(answers, scope) for scope in answers.scopes))
    places = tuple(f"{scope.account}/{region}" for scope in answers.scopes for region in scope.regions)
    return replace(merged, sources=places)


def _account(answers: Answers, scope: Scope) -> Estate:
    missing: list[Unanswered] = []
    if scope.refusal is not None:
        missing.append(
            Unanswered(
                location=Location(scope.account),
                call=scope.refused,
                code=scope.refusal.code,
                message=scope.refusal.message,
                what="anything of the account",
            )
        )
        return Estate(unanswered=tuple(missing))
    keys = [key for region in scope.regions for key in Keys(answers, scope, region, missing).read()]
    call = Call.of(scope.account, GLOBAL, IAM, DETAILS)
    details = answers.of(call)
    if details.refusal is not None:
        location = Location(f"{scope.account}/{IAM}")
        missing.append(unanswered(call, details, location, "the account's IAM policies"))
    organization: Organization = OrganizationPolicies(answers, scope, missing).read()
    trails: tuple[Trail, ...] = tuple(Trails(answers, scope, missing).read(str(key.region) for key in keys))
    return Estate(
        keys=tuple(keys),
        identity_policies=tuple(Identities(scope, details).read()),
        trails=trails,
        organization=organization,
        unanswered=tuple(missing),
    )
