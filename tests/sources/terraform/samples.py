"""Plans written by hand after what well-known modules create, for their findings."""

from __future__ import annotations

from tests.sources.terraform.plans import (
    ACCOUNT,
    PROVIDER,
    REGION,
    ROOT,
    Json,
    block,
    call,
    constant,
    made,
    module,
    plan,
    policy,
    refers,
    role,
    statement,
)

IDENTITY = f"arn:aws:iam::{ACCOUNT}:user/deployer"
NEW_KEY = {"arn": True, "id": True, "key_id": True}
KEY_POLICY_DOCUMENT = "data.aws_iam_policy_document.key_policy.json"


def aws(principal: object) -> Json:
    return {"AWS": principal}


# --- the Terraform module that this project started from ------------------------------------------------

_ARTICLE_ADMINISTRATION = [
    *(f"kms:{verb}*" for verb in ("Create", "Describe", "Enable", "List", "Put", "Update", "Revoke")),
    *(f"kms:{verb}*" for verb in ("Disable", "Get", "Delete")),
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
]
_ARTICLE_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
_ARTICLE_MODULE = module(
    block("data.aws_caller_identity.current"),
    block(
        "aws_kms_key.this", {"policy": refers(KEY_POLICY_DOCUMENT), "tags": refers("var.tags", "var.alias")}
    ),
    block(
        "aws_kms_alias.this",
        {"name": refers("var.alias"), "target_key_id": refers("aws_kms_key.this.key_id")},
    ),
    outputs={"key_arn": refers("aws_kms_key.this.arn"), "alias_arn": refers("aws_kms_alias.this.arn")},
)


def _article_key(
    name: str, alias: str, administrators: list[str], users: list[str], tags: Json
) -> list[Json]:
    document = policy(
        statement(aws(ROOT), "kms:*", Sid="RootAccountOwnership"),
        statement(aws(administrators), _ARTICLE_ADMINISTRATION, Sid="KeyAdministrators"),
        statement(aws(users), _ARTICLE_USE, Sid="KeyUsers"),
    )
    return [
        made(
            f"module.{name}.aws_kms_key.this",
            {
                "customer_master_key_spec": "SYMMETRIC_DEFAULT",
                "deletion_window_in_days": 30,
                "enable_key_rotation": True,
                "key_usage": "ENCRYPT_DECRYPT",
                "multi_region": False,
                "policy": document,
                "tags": {**tags, "kms:alias": f"alias/{alias}"},
            },
            unknown={**NEW_KEY, "rotation_period_in_days": True},
        ),
        made(
            f"module.{name}.aws_kms_alias.this",
            {"name": f"alias/{alias}"},
            unknown={"arn": True, "id": True, "target_key_id": True},
        ),
    ]


def article() -> Json:
    """The module's callers for dev and prod, and the bucket module that takes the key of the latter."""
    return plan(
        *_article_key(
            "kms_s3",
            "dev/s3-data",
            [role("security-admin-role")],
            [role("dev-app-role"), role("dev-terraform-role")],
            {"Environment": "dev", "ManagedBy": "terraform", "Service": "s3"},
        ),
        *_article_key(
            "kms_s3_prod",
            "prod/s3-data",
            [role("security-break-glass-role")],
            [role("prod-app-role"), role("prod-terraform-deploy-role")],
            {
                "Environment": "prod",
                "ManagedBy": "terraform",
                "Service": "s3",
                "Compliance": "soc2",
                "DataCategory": "confidential",
            },
        ),
        made(
            "module.s3_data.aws_s3_bucket_server_side_encryption_configuration.this",
            {"bucket": "my-org-data-prod"},
            unknown={"rule": [{"apply_server_side_encryption_by_default": [{"kms_master_key_id": True}]}]},
        ),
        configuration=module(
            calls={
                "kms_s3": call(_ARTICLE_MODULE, {"alias": constant("dev/s3-data")}),
                "kms_s3_prod": call(_ARTICLE_MODULE, {"alias": constant("prod/s3-data")}),
                "s3_data": call(
                    module(
                        block(
                            "aws_s3_bucket_server_side_encryption_configuration.this",
                            {
                                "rule": [
                                    {
                                        "apply_server_side_encryption_by_default": [
                                            {
                                                "kms_master_key_id": refers("var.kms_key_arn"),
                                                "sse_algorithm": constant("aws:kms"),
                                            }
                                        ]
                                    }
                                ]
                            },
                        )
                    ),
                    {"kms_key_arn": refers("module.kms_s3_prod.key_arn")},
                ),
            }
        ),
    )


# --- the complete example of a widely used module -------------------------------------------------------

_OWN_KEYS = (
    "aws_kms_key.this[0].{0}",
    "aws_kms_external_key.this[0].{0}",
    "aws_kms_replica_key.this[0].{0}",
    "aws_kms_replica_external_key.this[0].{0}",
)
"""The module asks all four kinds of key in turn and takes the one that there is."""


def _whichever(attribute: str) -> Json:
    return refers(*(one.format(attribute) for one in _OWN_KEYS))


_POLICY = refers("var.policy", "data.aws_iam_policy_document.this[0].json")
_COMMUNITY_MODULE = module(
    *(
        block(
            f"aws_kms_{kind}.this",
            {"policy": _POLICY, **more},
            provider="module.kms_replica:aws" if kind == "replica_key" else "aws",
            count_expression=refers("var.create"),
        )
        for kind, more in {
            "key": {},
            "external_key": {},
            "replica_key": {"primary_key_arn": refers("var.primary_key_arn")},
        }.items()
    ),
    block(
        "aws_kms_alias.this",
        {"name_prefix": refers("each.value.name"), "target_key_id": _whichever("key_id")},
        for_each_expression=refers("local.aliases"),
    ),
    block(
        "aws_kms_grant.this",
        {
            "grantee_principal": refers("each.value.grantee_principal"),
            "key_id": _whichever("key_id"),
            "operations": refers("each.value.operations"),
        },
        for_each_expression=refers("var.grants"),
    ),
    outputs={"key_arn": _whichever("arn"), "key_id": _whichever("key_id")},
    variables={"policy": {"default": None}},
)
_KEY_USE = ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey"]
_ADMINISTRATION = [
    *(f"kms:{verb}*" for verb in ("Create", "Describe", "Enable", "List", "Put", "Update", "Revoke")),
    *(f"kms:{verb}*" for verb in ("Disable", "Get", "Delete")),
    "kms:TagResource",
    "kms:UntagResource",
    "kms:ScheduleKeyDeletion",
    "kms:CancelKeyDeletion",
    "kms:ReplicateKey",
    "kms:ImportKeyMaterial",
]
_DEFAULT = statement(aws(ROOT), "kms:*", Sid="Default")


def _owned(*more: Json) -> str:
    return policy(_DEFAULT, *more)


def _complete_policy() -> str:
    me = aws(IDENTITY)
    return _owned(
        statement(me, "kms:*", Sid="KeyOwner"),
        statement(me, _ADMINISTRATION, Sid="KeyAdministration"),
        statement(me, _KEY_USE, Sid="KeyUsage"),
        statement(
            me,
            ["kms:CreateGrant", "kms:ListGrants", "kms:RevokeGrant"],
            Sid="KeyServiceUsage",
            Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
        statement(me, _KEY_USE, Sid="KeySymmetricEncryption"),
        statement(me, ["kms:DescribeKey", "kms:GenerateMac", "kms:VerifyMac"], Sid="KeyHMAC"),
        statement(
            me,
            ["kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:DescribeKey", "kms:GetPublicKey"],
            Sid="KeyAsymmetricPublicEncryption",
        ),
        statement(
            me,
            ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign", "kms:Verify"],
            Sid="KeyAsymmetricSignVerify",
        ),
        statement(
            {"Service": f"logs.{REGION}.amazonaws.com"},
            ["kms:Encrypt*", "kms:Decrypt*", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:Describe*"],
            Sid="CloudWatchLogs",
            Condition={
                "ArnLike": {
                    "kms:EncryptionContext:aws:logs:arn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"
                }
            },
        ),
    )


def _key(name: str, kind: str, **values: object) -> Json:
    return made(
        f"module.{name}.aws_kms_{kind}.this[0]",
        {"tags": {"Example": "complete"}, **values},
        unknown={**NEW_KEY, **({"rotation_period_in_days": True} if kind == "key" else {})},
    )


def complete() -> Json:
    """Keys with every list of roles, with imported material, for DNSSEC, by default, and with a replica."""
    alias = {"arn": True, "id": True, "name": True, "target_key_id": True}
    administered = statement(aws(IDENTITY), _ADMINISTRATION, Sid="KeyAdministration")
    elsewhere = {
        "module.kms_replica:aws": {"name": "aws", "expressions": {"region": constant("eu-central-1")}}
    }
    return plan(
        _key(
            "kms_complete",
            "key",
            customer_master_key_spec="SYMMETRIC_DEFAULT",
            deletion_window_in_days=7,
            enable_key_rotation=False,
            key_usage="ENCRYPT_DECRYPT",
            multi_region=False,
            policy=_complete_policy(),
        ),
        made('module.kms_complete.aws_kms_alias.this["one"]', {"name_prefix": "alias/one-"}, unknown=alias),
        made(
            'module.kms_complete.aws_kms_alias.this["foo/bar"]',
            {"name_prefix": "alias/foo/bar-"},
            unknown=alias,
        ),
        made(
            'module.kms_complete.aws_kms_grant.this["lambda"]',
            {
                "constraints": [{"encryption_context_equals": {"Department": "Finance"}}],
                "operations": ["Encrypt", "Decrypt", "GenerateDataKey"],
            },
            unknown={"grantee_principal": True, "key_id": True, "id": True},
        ),
        made(
            "aws_iam_role.lambda",
            {"name_prefix": "complete-", "path": "/"},
            unknown={"arn": True, "name": True},
        ),
        _key(
            "kms_external",
            "external_key",
            deletion_window_in_days=7,
            multi_region=False,
            policy=_owned(),
            valid_to="2026-11-21T23:20:50Z",
        ),
        _key(
            "kms_dnssec_signing",
            "key",
            customer_master_key_spec="ECC_NIST_P256",
            enable_key_rotation=False,
            key_usage="SIGN_VERIFY",
            policy=_owned(
                statement(
                    {"Service": "dnssec-route53.amazonaws.com"},
                    ["kms:DescribeKey", "kms:GetPublicKey", "kms:Sign"],
                    Sid="Route53DnssecService",
                ),
                statement(
                    {"Service": "dnssec-route53.amazonaws.com"},
                    "kms:CreateGrant",
                    Sid="Route53DnssecGrant",
                    Condition={"Bool": {"kms:GrantIsForAWSResource": "true"}},
                ),
            ),
        ),
        _key("kms_default", "key", enable_key_rotation=True, policy=_owned()),
        _key("kms_primary", "key", enable_key_rotation=True, multi_region=True, policy=_owned(administered)),
        made(
            "module.kms_replica.aws_kms_replica_key.this[0]",
            {"policy": _owned(administered), "tags": {"Example": "complete"}},
            unknown={"arn": True, "id": True, "key_id": True, "primary_key_arn": True},
        ),
        provider={**PROVIDER, **elsewhere},
        configuration=module(
            block("aws_iam_role.lambda", {"name_prefix": constant("complete-")}),
            calls={
                "kms_complete": call(
                    _COMMUNITY_MODULE,
                    {"create": constant(value=True), "grants": refers("aws_iam_role.lambda.arn")},
                ),
                **{
                    name: call(_COMMUNITY_MODULE, {"create": constant(value=True)})
                    for name in ("kms_external", "kms_dnssec_signing", "kms_default", "kms_primary")
                },
                "kms_replica": call(
                    _COMMUNITY_MODULE, {"primary_key_arn": refers("module.kms_primary.key_arn")}
                ),
            },
        ),
    )
