"""The preset for Route 53."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from kms_constructs.errors import ArgumentError
from kms_constructs.model.service_requirement import ACCOUNT, PARTITION, SOURCE_ARN
from kms_constructs.model.services.route53_dnssec import REQUIREMENT
from kms_constructs.policies.services.parts import Templates, by_service
from kms_constructs.policies.target import check_account, check_list, is_token


def route53_dnssec(hosted_zones: Sequence[str] | Mapping[str, Sequence[str]]) -> Templates:
    """Lets Route 53 sign hosted zones with this key (ECC_NIST_P256, SIGN_VERIFY, us-east-1).

    Zones of several accounts get one pair of statements an account, so that an account's id and its zones
    stay together. The grant is scoped like the use: Route 53 signs through the grant, so an open
    CreateGrant would let any customer's hosted zone sign with this key.

    Args:
        hosted_zones: Ids of hosted zones in the key's account, or ids by account.

    Raises:
        ArgumentError: No zone, or a malformed id; in `statements` for a key that Route 53 cannot use.

    See: https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/access-control-managing-permissions.html
    """
    by_account = hosted_zones if isinstance(hosted_zones, Mapping) else {ACCOUNT: hosted_zones}
    check_list("hosted_zones", list(by_account))
    made: Templates = ()
    for number, (account, zones) in enumerate(by_account.items()):
        check_account("hosted_zones", account)
        check_list("hosted_zones", zones)
        for zone in zones:
            if not is_token(zone) and not re.fullmatch(r"[A-Z0-9]{1,32}", zone):
                raise ArgumentError(
                    "hosted_zones",
                    zone,
                    "a hosted zone id is at most 32 capital letters and digits",
                    "give the id alone: Z0123456789ABCDEFGHIJ",
                )
        sources = {SOURCE_ARN: [f"arn:{PARTITION}:route53:::hostedzone/{zone}" for zone in zones]}
        made += by_service(REQUIREMENT, "", sources, account, suffix=str(number + 1) if number else "")
    return made
