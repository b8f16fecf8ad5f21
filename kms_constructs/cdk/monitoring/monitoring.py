"""`KmsMonitoring`: what happens to keys is told to people, by rules and alarms that really fire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from aws_cdk import RemovalPolicy
from aws_cdk import aws_cloudtrail as cloudtrail
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_events as events
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from kms_constructs.cdk.key.hardened_key import HardenedKey
from kms_constructs.cdk.key.secure_key import SecureKmsKey
from kms_constructs.cdk.monitoring.alarms import Alarms, MonitoringLimits, metrics_namespace
from kms_constructs.cdk.monitoring.central import KmsEventForwarder, central_bus
from kms_constructs.cdk.monitoring.channels import Channels
from kms_constructs.cdk.monitoring.dashboard import make_dashboard, matches
from kms_constructs.cdk.monitoring.keys import guarded_keys
from kms_constructs.cdk.monitoring.rules import make_rules, rule_name
from kms_constructs.cdk.monitoring.trail import MonitoringTrail, trail_log_group
from kms_constructs.detections.catalogue import WATCHES
from kms_constructs.detections.routes import routes
from kms_constructs.errors import ArgumentError
from kms_constructs.guardrails.catalogue import CATALOGUE
from kms_constructs.model.guarded_actions import GUARDED_ACTIONS
from kms_constructs.model.key_specs import MAXIMUM_PENDING_WINDOW_DAYS, Origin
from kms_constructs.policies.principals import Principals
from kms_constructs.policies.target import is_token

_MAXIMUM_NAME = 40
"""So that the names made of it stay within the 64 to 256 characters that services take."""


class KmsMonitoring(Construct):
    """Tells people what happens to KMS keys: in one Region of one account, or of a whole organization.

    Rules of EventBridge watch what the guardrails guard: the guarded actions, grants that no service made,
    another primary Region, refused calls, the root user, KMS's own events, and the trail itself. Each message
    says who did what to which key, when and from where, which guardrail it is about and what to do. Alarms
    watch quotas, expiring key material, refused cryptographic calls and unusual volume in the trail's log
    group, and whether the alerts themselves arrive.

    Calls of principals that a key authorises are alerts, those of everybody else are critical. `SecureKmsKey`
    knows whom it authorises; for other keys say so with `authorised`.

    EventBridge is regional. Keys of another Region are watched by a monitoring there, or by a
    `KmsEventForwarder` there that sends to the `bus_arn` of this one.

    Example:
        >>> from aws_cdk import App, Stack
        >>> monitoring = KmsMonitoring(
        ...     Stack(App(analytics_reporting=False), "Security"), "Keys",
        ...     environment="prod",
        ...     trail=MonitoringTrail.outside("arn:aws:cloudtrail:eu-west-1:111122223333:trail/main"),
        ...     key_administrators=["arn:aws:iam::111122223333:role/KeyAdmin"],
        ...     emails=["security@example.com"],
        ... )
        >>> sorted(monitoring.rules)[:3]
        ['cancel-key-deletion', 'create-grant', 'delete-imported-key-material']

    See: https://docs.aws.amazon.com/kms/latest/developerguide/monitoring-overview.html
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        environment: str,
        trail: MonitoringTrail | cloudtrail.Trail | cloudtrail.CfnTrail | None = None,
        key_administrators: Principals,
        keys: Sequence[kms.IKey] | None = None,
        authorised: Mapping[str, Sequence[str]] | None = None,
        emails: Sequence[str] = (),
        limits: MonitoringLimits | None = None,
        organization_id: str | None = None,
        accounts: Sequence[str] = (),
        name: str | None = None,
        data_classification: str = "internal",
        break_glass_principals: Principals = (),
        deployment_principals: Principals | None = None,
        pending_window: int = MAXIMUM_PENDING_WINDOW_DAYS,
        removal_policy: RemovalPolicy = RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        policy_reviewed_on: date | str | None = None,
    ) -> None:
        """Makes rules, topics with their key, alarms and a dashboard.

        Args:
            scope: The stack, of the Region whose keys are watched.
            construct_id: Id within it.
            environment: Tag of the key of the topics, and the start of names.
            trail: What records API calls: a trail of this app, ``MonitoringTrail.outside(…)`` for one that is
                there already, ``MonitoringTrail.create()`` to make one. Without a trail no call sets off a
                rule, so there is no default, and a trail that leaves KMS events out is refused.
            key_administrators: Who manages the key of the topics, and of the trail if one is made.
            keys: The keys to watch; every key of the account by default.
            authorised: Control id (``IAM-KMS-3``) to ARNs of principals whose calls are expected, ``*``
                allowed, beside those that the keys themselves authorise.
            emails: Who is told. Each has to confirm twice, once for each topic.
            limits: When alarms go off; see `MonitoringLimits`.
            organization_id: Makes an event bus for the accounts of this organization, and puts the rules
                there; this account forwards to it as well.
            accounts: The same for single accounts.
            name: Prefix of the names of topics, bus, trail and alias: ``<environment>-kms`` by default. One
                that differs, for a second monitoring in the same account and Region.
            data_classification: Tag of the key of the topics.
            break_glass_principals: As in `KeyArguments`, for the key of the topics.
            deployment_principals: As in `KeyArguments`, for the key of the topics.
            pending_window: Days, as in `KeyArguments`.
            removal_policy: As in `KeyArguments`.
            policy_reviewed_on: As in `KeyArguments`, for the keys that are made here.

        Raises:
            ArgumentError: There is no trail, or one that does not record KMS events; no key, a control that
                authorises nobody, a malformed name or id.
        """
        super().__init__(scope, construct_id)
        where = self.node.path
        prefix = _checked_name(name or f"{environment}-kms", where)
        shared: dict[str, Any] = {
            "environment": environment,
            "data_classification": data_classification,
            "break_glass_principals": break_glass_principals,
            "deployment_principals": deployment_principals,
            "pending_window": pending_window,
            "removal_policy": removal_policy,
            "policy_reviewed_on": policy_reviewed_on,
        }
        told = _checked_authorised(authorised, where)
        group = trail_log_group(
            self, trail, name=prefix, key_administrators=key_administrators, key_arguments=shared
        )
        self._channels = Channels(
            self,
            name=prefix,
            emails=emails,
            key_arguments={**shared, "key_administrators": key_administrators},
        )
        self.bus = central_bus(self, prefix, organization_id, accounts)
        if self.bus is not None:
            KmsEventForwarder(self, "Forwarder", bus_arn=self.bus.event_bus_arn)
        watched = None if keys is None else guarded_keys(self, keys, everywhere=self.bus is not None)
        try:
            found = list(routes(WATCHES, watched, told, where))
        except ValueError as error:
            if isinstance(error, ArgumentError):
                raise
            raise ArgumentError(
                "authorised",
                dict(told),
                str(error),
                "name principals by a pattern: arn:aws:iam::*:role/deploy-*",
                where=where,
            ) from None
        self.rules: dict[str, events.CfnRule] = make_rules(self, found, self._channels, self.bus)
        expiring = _expiring(keys or ())
        limits = limits or MonitoringLimits()
        alarms = self._alarms(limits, group, prefix, expiring)
        bus_name = None if self.bus is None else self.bus.event_bus_name
        self.alarms: dict[str, cloudwatch.AlarmBase] = alarms.made
        self.dashboard = make_dashboard(
            self,
            title=_title(keys, prefix),
            alarms=list(self.alarms.values()),
            rules={
                route: matches(rule_name(rule, self.bus), bus_name, route)
                for route, rule in self.rules.items()
            },
            namespace=None if group is None else metrics_namespace(prefix),
            expiring=expiring,
            channels=self._channels,
            standard_deviations=limits.standard_deviations,
        )

    @property
    def alerts(self) -> sns.Topic:
        """The topic for alerts and information."""
        return self._channels.alerts

    @property
    def critical_alerts(self) -> sns.Topic:
        """The topic for what somebody has to look at now."""
        return self._channels.critical

    @property
    def dead_letters(self) -> sqs.Queue:
        """Where alerts go that could not be delivered; an alarm watches it."""
        return self._channels.dead_letters

    @property
    def key(self) -> SecureKmsKey:
        """The key that encrypts topics and queue."""
        return self._channels.key

    @property
    def bus_arn(self) -> str:
        """ARN of the bus for other accounts and Regions.

        Raises:
            ArgumentError: There is none, for neither organization_id nor accounts was given.
        """
        if self.bus is None:
            raise ArgumentError(
                "organization_id",
                None,
                "this monitoring stands on the default bus, to which nobody else may send",
                "give organization_id or accounts",
                where=self.node.path,
            )
        return self.bus.event_bus_arn

    def _alarms(
        self,
        limits: MonitoringLimits,
        group: logs.ILogGroup | None,
        prefix: str,
        expiring: Sequence[tuple[str, str]],
    ) -> Alarms:
        alarms = Alarms(self, self._channels, limits, prefix)
        bus_name = None if self.bus is None else self.bus.event_bus_name
        alarms.dead_letters()
        alarms.failed_invocations([rule_name(rule, self.bus) for rule in self.rules.values()], bus_name)
        alarms.expiring_material(expiring)
        if group is not None:
            alarms.log_group(group)
        alarms.quotas()
        return alarms


def _checked_name(name: str, where: str) -> str:
    if not (0 < len(name) <= _MAXIMUM_NAME and name.replace("-", "").isalnum() and name.isascii()):
        raise ArgumentError(
            "name",
            name,
            f"a name is 1 to {_MAXIMUM_NAME} letters, digits and dashes",
            "write one like prod-kms",
            where=where,
        )
    return name


def _checked_authorised(
    authorised: Mapping[str, Sequence[str]] | None, where: str
) -> Mapping[str, Sequence[str]]:
    for control, principals in (authorised or {}).items():
        if control not in GUARDED_ACTIONS:
            raise ArgumentError(
                "authorised",
                control,
                "principals are authorised for a guarded action",
                f"one of {', '.join(GUARDED_ACTIONS)}",
                where=where,
            )
        if isinstance(principals, str):
            raise ArgumentError(
                "authorised",
                principals,
                "a list of ARNs is wanted, not one text",
                f"write {{{control!r}: [{principals!r}]}}",
                where=where,
            )
    return authorised or {}


def _expiring(keys: Sequence[kms.IKey]) -> list[tuple[str, str]]:
    """Keys with imported material, by id and alias: the metric is there for those alone."""
    return [
        (key.key_id, key.alias_name)
        for key in keys
        if isinstance(key, HardenedKey) and key.policy_spec.origin == Origin.EXTERNAL
    ]


def _title(keys: Sequence[kms.IKey] | None, prefix: str) -> str:
    names = [
        key.alias_name if isinstance(key, HardenedKey) and not is_token(key.alias_name) else key.node.path
        for key in keys or ()
    ]
    which = f"Watched: {', '.join(names)}" if names else "Watched: every key of the account"
    return f"{which}. Alerts go to {prefix}-alerts and {prefix}-critical-alerts. {len(CATALOGUE)} guardrails."
