"""Where the resources of a plan are: account, Region and partition of each provider configuration.

A plan rarely says the account. It is taken from what the plan has read (``aws_caller_identity``), from ARNs
of what exists already, or from what the provider is limited to; else it is what the caller says it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cached_property
from typing import Final

from kms_constructs.model.arn import OPEN_PARTITION, is_account_id, is_region_name, of_region
from kms_constructs.model.estate import Deployment
from kms_constructs.model.text import HoleKind, has_hole, hole
from kms_constructs.sources.terraform.plan import Instance, Json, ModulePath, Plan, as_list, as_map, as_text

_VARIABLE: Final = re.compile(r"var\.([A-Za-z_][\w-]*)$")
_WHERE_ONLY: Final = frozenset(
    {"region", "default_tags", "ignore_tags", "allowed_account_ids", "max_retries"}
)
"""Arguments of a provider that do not decide whose credentials it has."""


class Providers:
    """Account, Region and partition of resources.

    Args:
        plan: The plan.
        deployment: What the caller says, for what the plan does not.
    """

    def __init__(self, plan: Plan, deployment: Deployment) -> None:
        self._plan = plan
        self._deployment = deployment
        self._declared = as_map(plan.configuration.get("provider_config"))
        self._accounts: dict[str, set[str]] = {}
        self._regions: dict[str, set[str]] = {}
        for instance in plan.instances.values():
            self._learn(instance)

    def account(self, instance: Instance) -> str:
        """Account of a resource: twelve digits, or a hole."""
        own = _arn_parts(instance.values.get("arn"))
        if own is not None and not instance.is_data:
            return own[1]
        credentials = self._credentials(instance.provider)
        known = self._accounts.get(credentials, set())
        if len(known) == 1:
            return next(iter(known))
        told = self._limited(instance.provider) or self._deployment.account
        if told is not None:
            return told
        name = "account" if credentials == self._credentials("aws") else f"account of {instance.provider}"
        return hole(HoleKind.ENVIRONMENT, name)

    def region(self, instance: Instance) -> str:
        """Region of a resource, or a hole."""
        own = _arn_parts(instance.values.get("arn"))
        if own is not None and own[0] and not instance.is_data:
            return own[0]
        given = instance.values.get("region")  # every resource has it since version 6 of the provider
        if isinstance(given, str) and is_region_name(given):
            return given
        if instance.unknown.get("region") is True and "region" in instance.expressions:
            return hole(HoleKind.ENVIRONMENT, f"region of {instance.address}")
        expressions = as_map(as_map(self._declared.get(instance.provider)).get("expressions"))
        if "region" in expressions:
            constant = self._constant(expressions["region"], self._module_of(instance.provider), 0)
            if isinstance(constant, str) and is_region_name(constant):
                return constant
        known = self._regions.get(instance.provider, set())
        if len(known) == 1:
            return next(iter(known))
        if self._deployment.region is not None and "region" not in expressions:
            return self._deployment.region
        unnamed = instance.provider in ("", "aws")
        return hole(HoleKind.ENVIRONMENT, "region" if unnamed else f"region of {instance.provider}")

    def partition(self, instance: Instance) -> str:
        """Partition of a resource."""
        region = self.region(instance)
        if not has_hole(region):
            return of_region(region).name
        # Credentials are those of one partition: a provider whose Region is not known shares it.
        return self._only_partition

    @cached_property
    def _only_partition(self) -> str:
        regions = {self.region(instance) for instance in self._plan.instances.values()}
        known = {of_region(region).name for region in regions if not has_hole(region)}
        return next(iter(known)) if len(known) == 1 else OPEN_PARTITION

    # --- what the plan tells ------------------------------------------------------------------------

    def _learn(self, instance: Instance) -> None:
        values = instance.values
        if instance.type == "aws_caller_identity" and instance.is_data:
            self._add_account(instance.provider, as_text(values.get("account_id")))
        elif instance.type == "aws_region" and instance.is_data:
            for name in ("region", "name", "id"):
                if is_region_name(as_text(values.get(name))):
                    self._regions.setdefault(instance.provider, set()).add(as_text(values[name]))
        elif instance.type.startswith("aws_") and not instance.is_data:
            own = _arn_parts(values.get("arn"))
            if own is not None:
                self._add_account(instance.provider, own[1])

    def _add_account(self, provider: str, account: str) -> None:
        if is_account_id(account):
            self._accounts.setdefault(self._credentials(provider), set()).add(account)

    def _credentials(self, provider: str) -> str:
        """What decides whose credentials a provider configuration has, as text to compare."""
        expressions = as_map(as_map(self._declared.get(provider)).get("expressions"))
        deciding = {name: value for name, value in expressions.items() if name not in _WHERE_ONLY}
        return json.dumps(deciding, sort_keys=True)

    def _limited(self, provider: str) -> str | None:
        """The one account that a provider configuration may work in, by what it says itself."""
        expressions = as_map(as_map(self._declared.get(provider)).get("expressions"))
        module = self._module_of(provider)
        allowed = self._constant(expressions.get("allowed_account_ids"), module, 0)
        accounts = {as_text(one) for one in as_list(allowed)}
        if len(accounts) == 1 and is_account_id(account := accounts.pop()):
            return account
        for block in as_list(expressions.get("assume_role")):
            role = _arn_parts(self._constant(as_map(block).get("role_arn"), module, 0))
            if role is not None:
                return role[1]
        return None

    def _module_of(self, provider: str) -> ModulePath:
        address = as_text(as_map(self._declared.get(provider)).get("module_address"))
        return tuple((step, "") for step in address.split(".") if step and step != "module")

    def _constant(self, expression: object, module: ModulePath, depth: int) -> object | None:
        """The value of an expression that is a constant or a variable; None for any other."""
        given = as_map(expression)
        if "constant_value" in given:
            return given["constant_value"]
        variable = self._variable(given)
        if variable is None or depth > 20:
            return None
        if not module:
            declared = as_map(as_map(as_map(self._root().get("variables")).get(variable)))
            value = as_map(self._plan.variables.get(variable)).get("value", declared.get("default"))
            return None if declared.get("sensitive") is True else value
        call = as_map(self._plan.module_call(module).get("expressions"))
        if variable in call:
            return self._constant(call[variable], module[:-1], depth + 1)
        declared = as_map(as_map(self._plan.module_config(module).get("variables")).get(variable))
        return declared.get("default")

    def _root(self) -> Json:
        return as_map(self._plan.configuration.get("root_module"))

    @staticmethod
    def _variable(expression: Json) -> str | None:
        references = tuple(_texts(expression.get("references")))
        match = _VARIABLE.match(references[0]) if len(references) == 1 else None
        return match.group(1) if match is not None else None


def _texts(value: object) -> Iterator[str]:
    return (one for one in as_list(value) if isinstance(one, str))


def _arn_parts(arn: object) -> tuple[str, str] | None:
    """Region and account of an ARN that names an account."""
    parts = as_text(arn).split(":", 5)
    return (parts[3], parts[4]) if len(parts) == 6 and is_account_id(parts[4]) else None
