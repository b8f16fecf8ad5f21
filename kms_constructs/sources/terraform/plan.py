"""The resource instances of a plan or a state, with what is known of each, and the configuration behind them.

A plan says of each instance what its values will be, which of them are known after apply only, and which are
sensitive; the configuration says which references an expression has. A state has values alone.

See: https://developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct, field

from kms_constructs.model.estate import SourceProblem

Json = Mapping[str, object]
ModulePath = tuple[tuple[str, str], ...]
"""Names of module calls from the root, each with its index in brackets or nothing: ``(("a", "[0]"),)``."""

AGAIN: Final = "Write it anew: terraform plan -out=plan.out && terraform show -json plan.out > plan.json"
_INDEX: Final = r'\[(?:"(?:[^"\\]|\\.)*"|[0-9]+)\]'
_MODULE_STEP: Final = re.compile(rf"module\.([^.\[\]]+)({_INDEX})?(?:\.|$)")
_LEAVING: Final = frozenset({"delete", "forget"})
"""Actions after which the plan holds no values of a resource."""
MAX_MODULES: Final = 100
"""Levels of nested modules that are followed."""


def as_map(value: object) -> Json:
    """The value, when it is an object; else an empty one."""
    return value if isinstance(value, Mapping) else {}


def as_list(value: object) -> Sequence[object]:
    """The value, when it is a list; else an empty one."""
    return value if isinstance(value, list) else ()


def as_text(value: object) -> str:
    """The value, when it is text; else nothing."""
    return value if isinstance(value, str) else ""


def module_path(address: str) -> ModulePath:
    """The path of a module's address.

    Example:
        >>> module_path('module.keys["a.b"].module.one')
        (('keys', '["a.b"]'), ('one', ''))
    """
    found: list[tuple[str, str]] = []
    position = 0
    while match := _MODULE_STEP.match(address, position):
        found.append((match.group(1), match.group(2) or ""))
        position = match.end()
    return tuple(found)


class Instance(Struct, eq=False):
    """One instance of a resource or data source.

    Args:
        address: Unique in the plan: ``module.keys["a"].aws_kms_key.this[0]``.
        module: The module instance that holds it.
        type: ``aws_kms_key``.
        resource: Type and name; of a data source with ``data.`` before it.
        index: Its index in brackets, or nothing.
        values: What is known of it.
        unknown: Which values are known after apply only: true, or the same by name or position.
        sensitive: Which values are sensitive, likewise.
        config: Its block in the configuration; empty in a state.
        actions: What the plan does with it; empty in a state.
    """

    address: str
    module: ModulePath
    type: str
    resource: str
    index: str
    values: Json
    unknown: Json = field(default_factory=dict)
    sensitive: Json = field(default_factory=dict)
    config: Json = field(default_factory=dict)
    actions: tuple[str, ...] = ()

    @property
    def is_data(self) -> bool:
        """Whether it is a data source."""
        return self.resource.startswith("data.")

    @property
    def deleted(self) -> bool:
        """Whether nothing is left of it after apply."""
        return self.actions == ("delete",)

    @property
    def replaced(self) -> bool:
        """Whether the plan deletes what there is and creates it anew."""
        return "delete" in self.actions and "create" in self.actions

    @property
    def expressions(self) -> Json:
        """Expressions of the configuration by argument."""
        return as_map(self.config.get("expressions"))

    @property
    def provider(self) -> str:
        """Key of its provider configuration; empty when it is not told."""
        return as_text(self.config.get("provider_config_key"))


class Plan:
    """A plan or a state, indexed.

    Args:
        content: The decoded document.
        source: Name of the file.
        label: Put before identities of what is not known, so that they are unique among several plans.
        problems: Where what cannot be read is told.
    """

    def __init__(self, content: Json, source: str, label: str, problems: list[SourceProblem]) -> None:
        self.source = source
        self.label = label
        self.content = content
        self._problems = problems
        self.configuration = as_map(content.get("configuration"))
        self.variables = as_map(content.get("variables"))
        self.instances: dict[str, Instance] = {}
        self.by_resource: dict[tuple[ModulePath, str], list[Instance]] = {}
        self.modules: dict[tuple[ModulePath, str], dict[ModulePath, None]] = {}
        """Module instances by the module that calls them and the name of the call."""
        self._configs: dict[tuple[str, ...], dict[str, Json]] = {}
        self._changes = self._read_changes(content.get("resource_changes"))
        self.is_state = "planned_values" not in content and "values" in content
        self.is_empty = not {"planned_values", "values"} & content.keys()
        self._add_all(as_map(content.get("prior_state")).get("values"), prior=True)
        self._add_all(content.get("values" if self.is_state else "planned_values"), prior=False)
        self._add_deleted()

    def problem(self, message: str, fix: str, address: str = "") -> None:
        """Tells of what cannot be read."""
        self._problems.append(SourceProblem(self.source, message, fix, address))

    def module_config(self, module: ModulePath) -> Json:
        """The configuration of a module; empty in a state, or when the plan does not hold it."""
        config = as_map(self.configuration.get("root_module"))
        for name, _ in module:
            config = as_map(as_map(as_map(config.get("module_calls")).get(name)).get("module"))
        return config

    def module_call(self, module: ModulePath) -> Json:
        """The block that calls a module other than the root."""
        return as_map(as_map(self.module_config(module[:-1]).get("module_calls")).get(module[-1][0]))

    def outputs(self) -> Mapping[str, object]:
        """Values of the root module's outputs that are known and not sensitive."""
        held = as_map(self.content.get("values" if self.is_state else "planned_values"))
        return {
            name: one.get("value")
            for name, raw in as_map(held.get("outputs")).items()
            if (one := as_map(raw)) and one.get("sensitive") is not True
        }

    # --- reading ------------------------------------------------------------------------------------

    def _read_changes(self, raw: object) -> dict[str, Json]:
        if raw is not None and not isinstance(raw, list):
            self.problem("resource_changes is no list", AGAIN)
        found: dict[str, Json] = {}
        for one in as_list(raw):
            change = as_map(one)
            address = as_text(change.get("address"))
            if not address or not isinstance(change.get("change"), Mapping):
                self.problem("a resource change has no address or no change", AGAIN, address)
            elif "deposed" not in change:  # what is left over of an earlier replacement
                found[address] = change
        return found

    def _add_all(self, values: object, *, prior: bool) -> None:
        if values is None and (prior or self.is_empty):
            return
        if not isinstance(values, Mapping):
            self.problem("its values are no object", AGAIN)
            return
        for module, raw in self._walk(values.get("root_module"), 0):
            one = as_map(raw)
            address, type_, name = (as_text(one.get(part)) for part in ("address", "type", "name"))
            data = one.get("mode") == "data"
            if not (address and type_ and name) or not isinstance(one.get("values", {}), Mapping):
                self.problem("a resource has no address, type, name or values", AGAIN, address)
            elif data or not prior:  # what is managed is told by the plan, what was read by the prior state
                self._add(address, module, type_, name, data=data, raw=one)

    def _walk(self, module: object, depth: int) -> Iterator[tuple[ModulePath, object]]:
        if module is None:
            return
        if not isinstance(module, Mapping) or depth > MAX_MODULES:
            self.problem("a module is no object, or nested too deeply", AGAIN)
            return
        resources, children = module.get("resources", []), module.get("child_modules", [])
        if not isinstance(resources, list) or not isinstance(children, list):
            self.problem("resources or child_modules of a module is no list", AGAIN)
        path = module_path(as_text(module.get("address")))
        if path:
            self.modules.setdefault((path[:-1], path[-1][0]), {})[path] = None
        for resource in as_list(resources):
            yield path, resource
        for child in as_list(children):
            yield from self._walk(child, depth + 1)

    def _add(self, address: str, module: ModulePath, type_: str, name: str, *, data: bool, raw: Json) -> None:
        change = as_map(self._changes.get(address, {}).get("change"))
        actions = tuple(as_text(action) for action in as_list(change.get("actions")))
        values = as_map(raw.get("values"))
        unknown = change.get("after_unknown")
        if unknown is True or (unknown is not None and not isinstance(unknown, Mapping | bool)):
            self.problem("after_unknown is no object", AGAIN, address)
        resource = f"data.{type_}.{name}" if data else f"{type_}.{name}"
        index = raw.get("index")
        self._index(
            Instance(
                address=address,
                module=module,
                type=type_,
                resource=resource,
                index=_bracketed(index),
                values=values,
                unknown=as_map(unknown),
                sensitive={
                    **as_map(raw.get("sensitive_values")),
                    **as_map(change.get("after_sensitive")),
                },
                config=self._config_of(module, resource),
                actions=actions,
            )
        )

    def _add_deleted(self) -> None:
        for address, raw in self._changes.items():
            change = as_map(raw.get("change"))
            actions = tuple(as_text(action) for action in as_list(change.get("actions")))
            held = self.instances.get(address)
            if held is not None and raw.get("type") != held.type:
                self.problem("its type is another in resource_changes", AGAIN, address)
            elif held is None and not set(actions) & _LEAVING and raw.get("mode") != "data":
                self.problem("the plan changes it and does not hold its values", AGAIN, address)
            if actions != ("delete",) or held is not None or raw.get("mode") == "data":
                continue
            type_, name = as_text(raw.get("type")), as_text(raw.get("name"))
            if not (type_ and name):
                self.problem("a resource change has no type or no name", AGAIN, address)
                continue
            self._index(
                Instance(
                    address=address,
                    module=module_path(as_text(raw.get("module_address"))),
                    type=type_,
                    resource=f"{type_}.{name}",
                    index=_bracketed(raw.get("index")),
                    values=as_map(change.get("before")),
                    sensitive=as_map(change.get("before_sensitive")),
                    config=self._config_of(
                        module_path(as_text(raw.get("module_address"))), f"{type_}.{name}"
                    ),
                    actions=actions,
                )
            )

    def _index(self, instance: Instance) -> None:
        old = self.instances.get(instance.address)
        self.instances[instance.address] = instance
        siblings = self.by_resource.setdefault((instance.module, instance.resource), [])
        if old is not None and old in siblings:
            siblings.remove(old)
        siblings.append(instance)

    def _config_of(self, module: ModulePath, resource: str) -> Json:
        key = tuple(name for name, _ in module)
        if key not in self._configs:
            self._configs[key] = {
                as_text(one.get("address")): one
                for raw in as_list(self.module_config(module).get("resources"))
                if (one := as_map(raw))
            }
        return self._configs[key].get(resource, {})


def _bracketed(index: object) -> str:
    """An index as addresses have it."""
    if isinstance(index, str):
        escaped = index.replace("\\", "\\\\").replace('"', '\\"')
        return f'["{escaped}"]'
    return f"[{index}]" if isinstance(index, int) and not isinstance(index, bool) else ""
