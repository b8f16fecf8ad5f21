"""Properties of keys and aliases with which a stack cannot be deployed.

See: https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html and
https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from kms_constructs.guardrails.lint.remark import Remark
from kms_constructs.model.estate import Key, KeyKind
from kms_constructs.model.key_specs import KEY_SPECS, Origin, can_rotate
from kms_constructs.model.text import display, has_hole
from kms_constructs.model.unknown import is_unknown
from kms_constructs.model.vocabulary import Fact

_ALIAS = "alias/"
_RESERVED = "alias/aws/"
_NAME = re.compile(r"alias/[a-zA-Z0-9/_-]{1,250}")


def property_remarks(key: Key) -> Iterator[Remark]:
    """What is wrong with rotation, usage and aliases of a key."""
    yield from _rotation(key)
    yield from _usage(key)
    for alias in key.aliases:
        yield from _alias(key, alias)
    for alias in key.repeated_aliases:
        yield Remark(
            "alias-twice",
            f"The alias {display(alias)!r} is made twice; an account has it once in a Region, so the second "
            "one cannot be made.",
            "Take one of the two out.",
            key.vocabulary.path(Fact.ALIAS),
        )


def _rotation(key: Key) -> Iterator[Remark]:
    words = key.vocabulary
    spec, origin = key.key_spec, key.origin
    if key.kind is not KeyKind.KEY or not words.knows(Fact.ROTATION) or key.rotation_enabled is not True:
        return
    if is_unknown(origin) or (is_unknown(spec) and origin == Origin.AWS_KMS):
        return
    if not is_unknown(spec) and spec not in KEY_SPECS:
        return
    if not is_unknown(spec) and can_rotate(spec, origin):
        return
    what = (
        f"keys of spec {spec}" if not is_unknown(spec) and not KEY_SPECS[spec].rotates else f"origin {origin}"
    )
    yield Remark(
        "rotation",
        f"{words.name(Fact.ROTATION)} is on, and KMS does not rotate {what} by itself: the key cannot be "
        "made like that.",
        f"Take {words.name(Fact.ROTATION)} out"
        + ("; rotate imported material on demand." if origin == Origin.EXTERNAL else "."),
        words.path(Fact.ROTATION),
    )


def _usage(key: Key) -> Iterator[Remark]:
    spec, usage = key.key_spec, key.key_usage
    if is_unknown(spec) or is_unknown(usage) or not key.vocabulary.knows(Fact.KEY_SPEC):
        return
    path = key.vocabulary.path(Fact.KEY_SPEC)
    if spec not in KEY_SPECS:
        yield Remark(
            "key-spec",
            f"KMS has no key spec {display(spec)!r}.",
            f"Write one of {', '.join(sorted(KEY_SPECS))}.",
            path,
        )
    elif usage not in {one.value for one in KEY_SPECS[spec].usages}:
        fits = " or ".join(one.value for one in KEY_SPECS[spec].usages)
        yield Remark(
            "key-usage",
            f"A key of spec {spec} is not for {display(usage)}: it cannot be made.",
            f"Give it the usage {fits}, or another spec.",
            path,
        )


def _alias(key: Key, alias: str) -> Iterator[Remark]:
    if has_hole(alias) and alias.startswith((_ALIAS, "\ue000")) and not alias.startswith(_RESERVED):
        return
    shown, path = display(alias), key.vocabulary.path(Fact.ALIAS)
    if not alias.startswith(_ALIAS):
        yield Remark(
            "alias", f"The alias {shown!r} does not begin with {_ALIAS}.", f"Write {_ALIAS}{shown}.", path
        )
    elif alias.startswith(_RESERVED):
        yield Remark(
            "alias",
            f"The alias {shown!r} begins with {_RESERVED}, which is for AWS managed keys: KMS refuses it.",
            "Choose a name that begins otherwise.",
            path,
        )
    elif _NAME.fullmatch(alias) is None:
        yield Remark(
            "alias",
            f"The alias {shown!r} is none that KMS takes.",
            "Use letters, digits, /, _ and -; at most 256 characters with alias/.",
            path,
        )


def aliases_given_twice(keys: Iterable[Key]) -> Iterator[tuple[Key, Remark]]:
    """Aliases that two keys of one account and Region have for certain: the second cannot be made."""
    named: dict[tuple[str, ...], list[Key]] = {}
    for key in keys:
        if not key.vocabulary.knows(Fact.ALIAS) or key.conditional or is_unknown(key.region):
            continue
        # Where deployment decides the account, only what stands in one stack lies in one account for certain.
        decided = not has_hole(key.account) and not has_hole(key.region)
        where = () if decided else (key.location.source, key.location.stack)
        for alias in key.aliases:
            if not has_hole(alias) and alias not in key.conditional_aliases:
                named.setdefault((alias, key.account, key.region, *where), []).append(key)
    for (alias, *_), several in named.items():
        for key in several if len(several) > 1 else ():
            others = sorted(str(one.location) for one in several if one is not key)
            yield (
                key,
                Remark(
                    "alias-twice",
                    f"The alias {alias} is that of {', '.join(others)}, too; an account has it once in a "
                    "Region, so only one of the keys can have it.",
                    "Give one of the keys another alias.",
                    key.vocabulary.path(Fact.ALIAS),
                ),
            )
