"""Shows frozen classes in the documentation with the arguments that make them, as it shows data classes.

A class of `kms_constructs.model.frozen` is made by its fields alone, and no decorator tells so.
"""

from __future__ import annotations

import ast
from typing import Any

from griffe import Attribute, Class, Decorator, Expr, ExprCall, ExprKeyword, ExprName, Extension


class _Dataclass(ExprCall):
    """``dataclasses.dataclass(…)``, whatever the module imports."""

    @property
    def canonical_path(self) -> str:
        return "dataclasses.dataclass"


class FrozenSignatures(Extension):
    """Marks frozen classes as data classes, for which the reader of packages makes signatures."""

    def on_class_instance(self, *, node: ast.AST | Any, cls: Class, **_kwargs: Any) -> None:  # noqa: ANN401
        """Called for each class that is read.

        Args:
            node: The class as it is written.
            cls: The class as it will be shown.
        """
        if not isinstance(node, ast.ClassDef):
            return
        options = {one.arg: ast.unparse(one.value) for one in node.keywords if one.arg}
        if options.get("frozen") == "True":
            given = [ExprKeyword(name, value) for name, value in options.items()]
            made_by = _Dataclass(ExprName("dataclass"), given)
            cls.decorators.append(Decorator(made_by, lineno=None, endlineno=None))

    def on_class_members(self, *, cls: Class, **_kwargs: Any) -> None:  # noqa: ANN401
        """Called when the members of a class have been read: shows what a default is, and not how it is made.

        Args:
            cls: The class.
        """
        for member in cls.members.values():
            if not isinstance(member, Attribute) or not isinstance(member.value, ExprCall):
                continue
            if member.value.canonical_path == "msgspec.field":
                given = {
                    one.name: one.value for one in member.value.arguments if isinstance(one, ExprKeyword)
                }
                makes = given.get("default_factory")
                if isinstance(makes, Expr):
                    member.value = ExprCall(makes, [])
