"""The grants of a key with a sealed policy, under the names that the CDK gives them.

`kms.Key` has a method for each use of a key (``key.grant_decrypt``), and `kms.KeyGrants` has the same ones
(``key.grants.decrypt``). All of them ask for some actions, and the key answers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType, MappingProxyType
from typing import Any, Protocol, TypeVar

from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms

_ENCRYPT = ("kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*")

USES: Mapping[str, tuple[str, tuple[str, ...]]] = MappingProxyType(
    {
        "decrypt": ("decrypt", ("kms:Decrypt",)),
        "encrypt": ("encrypt and make data keys", _ENCRYPT),
        "encrypt_decrypt": ("encrypt and decrypt", ("kms:Decrypt", *_ENCRYPT)),
        "sign": ("sign", ("kms:Sign",)),
        "verify": ("verify signatures", ("kms:Verify",)),
        "sign_verify": ("sign and verify", ("kms:Sign", "kms:Verify")),
        "generate_mac": ("make MACs", ("kms:GenerateMac",)),
        "verify_mac": ("verify MACs", ("kms:VerifyMac",)),
    }
)
"""What each method lets a principal do, in words and in actions, as the CDK has them."""


class Sealed(Protocol):
    """A key that answers for its grants itself."""

    def grant(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Lets a principal do the actions, or refuses."""
        ...

    def grant_admin(self, grantee: iam.IGrantable) -> iam.Grant:
        """Lets a principal administer the key, or refuses."""
        ...


Owner = TypeVar("Owner", bound=type)


def grants_each_use(prefix: str, to: str) -> Callable[[Owner], Owner]:
    """Writes the method of each use into a class, over the one that its base class of the CDK has.

    Type checkers see the base class's method, which has the same signature.

    Args:
        prefix: What the names of the methods start with.
        to: Name of the method that takes grantee and actions.
    """

    def applied(owner: Owner) -> Owner:
        for use, (words, actions) in USES.items():
            method = _method(words, actions, to)
            method.__name__ = f"{prefix}{use}"
            method.__qualname__ = f"{owner.__qualname__}.{prefix}{use}"
            method.__module__ = owner.__module__
            setattr(owner, method.__name__, method)
        return owner

    return applied


def _method(words: str, actions: tuple[str, ...], to: str) -> FunctionType:
    def method(self: Any, grantee: iam.IGrantable) -> iam.Grant:  # noqa: ANN401 - of either class
        made: iam.Grant = getattr(self, to)(grantee, *actions)
        return made

    method.__doc__ = f"Lets a principal of the same stack {words}; see `{to}`."
    assert isinstance(method, FunctionType)  # noqa: S101 - jsii looks for functions
    return method


@grants_each_use("", to="actions")
class SealedGrants(kms.KeyGrants):
    """`kms.KeyGrants` of a key with a sealed policy: the same methods, answered by the key."""

    _key: Sealed

    @classmethod
    def of(cls, key: Sealed) -> SealedGrants:
        """The grants of a key. It lives in Python alone, so nothing is made in Node."""
        made = cls.__new__(cls)
        made._key = key
        return made

    def actions(self, grantee: iam.IGrantable, *actions: str) -> iam.Grant:
        """Lets a principal of the same stack do these actions; see `SecureKmsKey.grant`."""
        return self._key.grant(grantee, *actions)

    def admin(self, grantee: iam.IGrantable) -> iam.Grant:
        """Refuses; see `SecureKmsKey.grant_admin`."""
        return self._key.grant_admin(grantee)
