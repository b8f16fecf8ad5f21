"""Random cases. Each takes a random few of the features, so that no feature hides what another would show."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

from kms_constructs.model.estate import Grant, IdentityPolicyKind
from kms_constructs.model.text import HoleKind, hole
from kms_constructs.model.unknown import Maybe, Unknown
from tests.worlds.case import Case, Iam
from tests.worlds.conditions import GRANT, KEYS, PRINCIPAL, filled, values_of
from tests.worlds.vocabulary import (
    ACTION_PATTERNS,
    FOREIGN,
    GENERATED_ROLE,
    GUARDED,
    HOME,
    KEY_ID,
    ORGANIZATION,
    OTHER,
    PARTITIONS,
    PARTNER,
    RESOURCES,
    SERVICES,
    WIDE_ACTIONS,
    arn,
)

_KEY_FEATURES = tuple(dict.fromkeys(key.feature for key in KEYS.values() if key.feature != "principal-arn"))
FEATURES = (
    *_KEY_FEATURES,
    "patterns",
    "not",
    "qualifiers",
    "if-exists",
    "null",
    "ignore-case",
    "several-values",
    "wide-actions",
    "iam",
    "attachable",
    "scp",
    "rcp",
    "partition",
    "colons",
    "literal",
    "holes",
    "unknown",
    "no-account",
    "grants",
    "sessions",
    "foreign",
    "services",
    "anyone",
    "variables",
    "facts",
    "trusted",
)
"""What a case may have beside plain statements with plain principals and conditions on the principal's
ARN."""

_WHY = "a test says so"


def draw_case(rng: random.Random, features: Sequence[str] | None = None) -> Case:
    """A random case.

    Args:
        rng: The source of chance, Hypothesis's or Python's.
        features: What the case may have; None for a random few.
    """
    if features is None:
        count = rng.choice((0, 1, 2, 3, 4, 6, 9))
        features = [rng.choice(FEATURES) for _ in range(count)]
    return _Draw(rng, frozenset(features)).case()


class _Draw:
    def __init__(self, rng: random.Random, features: frozenset[str]) -> None:
        self._rng = rng
        self._has = features
        self._partition = rng.choice(tuple(PARTITIONS)) if "partition" in features else "aws"
        self._region = PARTITIONS[self._partition]
        self._holes = 0
        self._conditioned = [key for key, found in KEYS.items() if found.feature in features]

    def _one(self, values: Sequence[Any]) -> Any:
        return self._rng.choice(values)

    def _chance(self, percent: int, feature: str | None = None) -> bool:
        return (feature is None or feature in self._has) and self._rng.randrange(100) < percent

    def case(self) -> Case:
        """Statements in one of a few shapes, and what stands around them."""
        shape = self._one((self._any_statements, self._any_statements, self._hardened, self._guarded))
        statements: list[Any] = shape()
        if "unknown" in self._has:
            statements = [self._blurred(statement) for statement in statements]
        no_account = self._chance(100, "no-account")
        facts: dict[str, Any] = {"origin": self._one(("AWS_KMS", "EXTERNAL"))}
        if "facts" in self._has or "fact" in self._has:
            facts = {
                **facts,
                "multi_region": self._one((False, True)),
                **self._one(({}, {}, {"key_spec": "RSA_2048", "key_usage": "SIGN_VERIFY"})),
            }
        return Case(
            statements=tuple(statements),
            partition=self._partition,
            region=self._region,
            account=hole(HoleKind.ENVIRONMENT, "AWS::AccountId") if no_account else HOME,
            key_id=self._one(
                (KEY_ID, hole(HoleKind.GENERATED, "App.KeyId"), hole(HoleKind.UNRESOLVED, "KeyId"))
            ),
            iam=tuple(self._iam() for _ in range(self._one((1, 2)))) if "iam" in self._has else (),
            scps=(self._organization(),) if "scp" in self._has else (),
            rcps=(self._organization(everyone=True),) if "rcp" in self._has else (),
            grants=self._grants() if "grants" in self._has else (),
            facts=facts,
            authorised=tuple(self._patterns(2)) if self._chance(30) else (),
            trusted=(PARTNER,) if self._chance(80, "trusted") else (),
            organization=ORGANIZATION if self._chance(50, "org") else None,
        )

    # Shapes of key policies

    def _any_statements(self) -> list[Any]:
        return [self._statement() for _ in range(self._one((1, 2, 2, 3, 4)))]

    def _hardened(self) -> list[Any]:
        """Duties apart and Denies around them, the way the constructs write it, and nearly right."""
        root = self._arn("root")
        managers, users = ([self._principal() for _ in range(self._one((1, 1, 2)))] for _ in range(2))
        manage = ["kms:PutKeyPolicy", "kms:EnableKey", "kms:TagResource"]
        use = ["kms:Decrypt", "kms:GenerateDataKey*"]
        found = [
            _allow(root, self._one((manage, manage[:1], [*manage, "kms:ScheduleKeyDeletion"]))),
            _allow(managers, manage),
            _allow(users, use),
            _allow(users, ["kms:CreateGrant"], {"Bool": {"kms:GrantIsForAWSResource": "true"}}),
            *(_deny(self._one((managers, users)), action, root) for action in (manage, use)),
        ]
        kept = [statement for statement in found if self._chance(70)] or found[:1]
        return [*kept, self._statement()] if self._chance(50) else kept

    def _guarded(self) -> list[Any]:
        """The account with everything of one action, and a Deny that exempts some."""
        action = f"kms:{self._one((*GUARDED.values(), 'PutKeyPolicy', 'CreateGrant'))}"
        denied: dict[str, Any] = {
            "Effect": "Deny",
            "Principal": "*",
            "Action": action,
            "Resource": self._resource(),
        }
        denied["Condition"] = self._condition(negative=True)
        found = [_allow(self._arn("root"), [action]), denied]
        return [*found, self._statement()] if self._chance(40) else found

    def _statement(self, *, principals: bool = True) -> dict[str, Any]:
        effect = self._one(("Allow", "Allow", "Allow", "Deny"))
        found: dict[str, Any] = {"Effect": effect}
        if principals:
            name = "NotPrincipal" if self._chance(25, "not") else "Principal"
            found[name] = self._principals(effect)
        found["NotAction" if self._chance(25, "not") else "Action"] = self._some(self._action)
        found["NotResource" if self._chance(15, "not") else "Resource"] = self._resource()
        if self._chance(60 if effect == "Deny" else 45):
            found["Condition"] = self._condition(negative=effect == "Deny")
        return found

    # Elements

    def _some(self, draw: Callable[[], Any], most: int = 2) -> Any:
        if self._chance(60):
            return draw()
        return list(dict.fromkeys(draw() for _ in range(self._one(range(1, most + 1)))))

    def _arn(self, resource: str, account: str = HOME) -> str:
        return arn(self._partition, account, resource)

    def _hole(self, kind: HoleKind = HoleKind.UNRESOLVED) -> str:
        self._holes += 1
        return hole(kind, f"P{self._one(range(2))}" if self._chance(30) else f"Q{self._holes}")

    def _principal(self) -> str:
        if self._chance(15, "holes"):
            return self._one(
                (
                    self._hole(),
                    self._arn(f"role/{self._hole()}"),
                    f"arn:{self._partition}:iam::{self._hole()}:role/App",
                    self._arn(f"role/{hole(HoleKind.GENERATED, 'App.Role')}"),
                )
            )
        if self._chance(30, "no-account"):
            account = hole(HoleKind.ENVIRONMENT, "AWS::AccountId")
            return self._arn(self._one(("root", "role/App")), account)
        if self._chance(25, "foreign"):
            return self._arn(self._one(FOREIGN), self._one((OTHER, OTHER, PARTNER)))
        if self._chance(20, "sessions"):
            return self._arn(self._one(("assumed-role/App/alice", "federated-user/fred")))
        if self._chance(10):
            return HOME
        resource = self._one(RESOURCES[:5] if self._chance(50) else RESOURCES)
        return self._arn(resource if "colons" in self._has or ":" not in resource else "root")

    def _principals(self, effect: str) -> Any:
        if self._chance(60 if effect == "Deny" else 8) or self._chance(25, "anyone"):
            return self._one(("*", {"AWS": "*"}))
        if self._chance(40, "services"):
            return {"Service": self._some(lambda: self._one(SERVICES))}
        return {"AWS": self._some(self._principal, 3)}

    def _action(self) -> str:
        if self._chance(8, "holes"):
            return self._one((self._hole(), f"kms:{self._hole()}"))
        return self._one(WIDE_ACTIONS) if self._chance(50, "wide-actions") else self._one(ACTION_PATTERNS)

    def _resource(self) -> Any:
        if self._chance(35, "literal"):
            return self._one(
                (
                    f"arn:{self._partition}:kms:{self._region}:{HOME}:key/{KEY_ID}",
                    f"arn:{self._partition}:kms:*:{HOME}:key/*",
                    "arn:aws:kms:*:*:key/*",
                    f"arn:{self._partition}:kms:{self._region}:{OTHER}:key/{KEY_ID}",
                    ["*", f"arn:{self._partition}:kms:{self._region}:{HOME}:alias/app"],
                )
            )
        if self._chance(6, "holes"):
            return self._hole()
        return "*"

    def _patterns(self, most: int) -> list[str]:
        """ARN patterns as a configuration authorises them."""
        texts = ("role/App", "role/AppAdmin", "role/*", "role/App*", "user/alice", "role/ops/*")
        return [self._arn(self._one(texts)) for _ in range(self._one(range(1, most + 1)))]

    # Conditions

    def _condition(self, *, negative: bool) -> dict[str, Any]:
        found: dict[str, dict[str, Any]] = {}
        for _ in range(self._one((1, 1, 1, 2))):
            pinned = not self._conditioned or self._chance(35)
            key = "aws:PrincipalArn" if pinned else self._one(self._conditioned)
            operator, values = self._operator(key, negative=negative)
            found.setdefault(operator, {})[key] = values
        return found

    def _operator(self, key: str, *, negative: bool) -> tuple[str, Any]:
        known = KEYS[key]
        if self._chance(20, "null"):
            return "Null", self._one(("true", "false"))
        operator = self._one(known.operators)
        if negative and key == "aws:PrincipalArn" and self._chance(60):
            operator = self._one(("ArnNotEquals", "ArnNotLike", "StringNotLike", "StringNotEquals"))
        if operator in {"StringEquals", "StringNotEquals"} and self._chance(40, "ignore-case"):
            operator += "IgnoreCase"
        if self._chance(30, "if-exists") and not (operator.startswith("For") and self._chance(60)):
            operator += "IfExists"
        if ":" not in operator and self._chance(25, "qualifiers"):
            operator = self._one(("ForAnyValue:", "ForAllValues:")) + operator
        return operator, self._some(lambda: self._value(key), 3 if "several-values" in self._has else 2)

    def _value(self, key: str) -> str:
        if self._chance(12, "holes"):
            whole = self._hole()
            return self._one((whole, self._arn(f"role/{whole}"))) if key == "aws:PrincipalArn" else whole
        if key == "aws:PrincipalArn" and self._chance(15, "variables"):
            return f"arn:{self._partition}:iam::${{aws:PrincipalAccount}}:role/App"
        patterns = "patterns" in self._has or KEYS[key].origin not in {PRINCIPAL, GRANT}
        values = values_of(key, self._partition, self._region, patterns=patterns)
        if "colons" not in self._has:
            values = tuple(value for value in values if "/x:" not in value)
        return self._one(values)

    # What stands around the key policy

    def _iam(self) -> Iam:
        statements = [self._statement(principals=False) for _ in range(self._one((1, 1, 2)))]
        for statement in statements:
            if self._chance(60):
                statement["Effect"] = "Allow"
            if self._chance(50):
                own = f"arn:{self._partition}:kms:{self._region}:{HOME}:key/"
                statement.pop("NotResource", None)
                statement["Resource"] = self._one((own + KEY_ID, own + "*", "*"))
        kinds = (IdentityPolicyKind.INLINE, IdentityPolicyKind.MANAGED, IdentityPolicyKind.BOUNDARY)
        return Iam(
            document={"Statement": statements},
            attached=(self._arn(self._one(RESOURCES[1:7])),) if self._chance(80) else (),
            attachable=self._chance(40, "attachable"),
            kind=self._one(kinds) if "attachable" in self._has else IdentityPolicyKind.INLINE,
        )

    def _organization(self, *, everyone: bool = False) -> dict[str, Any]:
        found = self._statement(principals=False)
        found["Effect"] = "Deny"
        if everyone:
            found["Principal"] = "*"
        return {"Statement": [found]}

    def _grants(self) -> tuple[Grant, ...]:
        operations = ("Decrypt", "Encrypt", "CreateGrant", "DescribeKey")
        return (
            Grant(
                grantee=self._one(
                    (self._arn("role/App"), self._arn("role/AppAdmin"), self._arn("role/App", OTHER))
                ),
                operations=tuple(dict.fromkeys(self._one(operations) for _ in range(2))),
                constraints=self._one(({}, {"EncryptionContextSubset": {"dept": "finance"}})),
                for_aws_service=self._chance(30),
            ),
        )

    # What is not known

    def _blurred(self, statement: dict[str, Any]) -> Any:
        found = dict(statement)
        for name in tuple(found):
            if self._chance(6):
                found[name] = Unknown(_WHY)
            elif isinstance(found[name], list) and len(found[name]) > 1 and self._chance(25):
                found[name] = [Maybe(found[name][0], _WHY), *found[name][1:]]
        return Maybe(found, _WHY) if self._chance(15) else found


def _allow(principal: Any, actions: list[str], condition: dict[str, Any] | None = None) -> dict[str, Any]:
    found = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": actions, "Resource": "*"}
    return {**found, "Condition": condition} if condition else found


def _deny(exempt: list[str], actions: list[str], root: str) -> dict[str, Any]:
    return {
        "Effect": "Deny",
        "Principal": "*",
        "Action": actions,
        "Resource": "*",
        "Condition": {
            "ArnNotEquals": {"aws:PrincipalArn": [root, *(one for one in exempt if not one.isdigit())]}
        },
    }


__all__ = ["FEATURES", "GENERATED_ROLE", "draw_case", "filled"]
