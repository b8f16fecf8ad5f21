"""One reason why principals may call an action: what regions are lists of."""

from __future__ import annotations

from msgspec.structs import replace

from kms_constructs.analysis.principals import Cell, any_meet, describe_cells
from kms_constructs.model.estate import Grant
from kms_constructs.model.frozen import Frozen
from kms_constructs.model.policy import Condition, Statement
from kms_constructs.model.text import display

KEY_POLICY = "key policy"
GRANT = "grant"


class Contribution(Frozen, frozen=True):
    """One reason why principals are in a region.

    Args:
        cells: The principals that are left after all Denies.
        statement: The statement of the key policy that allows it; None for a grant.
        source: ``key policy`` or ``grant``.
        delegated: Whether IAM policies of the principals' account decide.
        unresolved: Why it is here only because something is not known, or None.
        conditions: Conditions that were assumed to hold (those that say nothing of the principal).
        grant: The grant, when it comes from one.
    """

    cells: tuple[Cell, ...]
    statement: Statement | None
    source: str = KEY_POLICY
    delegated: bool = False
    unresolved: str | None = None
    conditions: tuple[Condition, ...] = ()
    grant: Grant | None = None

    def of(self, cells: tuple[Cell, ...]) -> Contribution:
        """The same reason for other principals."""
        return self if cells is self.cells else replace(self, cells=cells)

    def doubted(self, sure: tuple[Cell, ...], doubt: str) -> tuple[Contribution, ...]:
        """The same in two: whom it reaches in any reading of AWS's documents, and whom in one of them only.

        Args:
            sure: The principals that the narrowest reading leaves.
            doubt: What the documents do not say.
        """
        certain = tuple(cell for cell in self.cells if any_meet((cell,), sure))
        others = tuple(cell for cell in self.cells if cell not in certain)
        parts = (self.of(certain), replace(self, cells=others, unresolved=self.unresolved or doubt))
        return tuple(part for part in parts if part.cells)

    @property
    def principals(self) -> str:
        """The principals as a person reads them."""
        return describe_cells(self.cells)

    @property
    def label(self) -> str:
        """What allows it: ``statement 'RootAccount'`` or ``grant 'reports'``."""
        if self.statement is not None:
            return f"statement '{self.statement.label}'" if self.statement.sid else self.statement.label
        return f"grant '{self.grant.name}'" if self.grant is not None and self.grant.name else "a grant"

    def describe(self) -> str:
        """How the access comes about, in one line."""
        text = self.label
        if self.delegated:
            accounts = sorted({display(account) for cell in self.cells if (account := cell.account)})
            where = f"account {', '.join(accounts)}" if accounts else "any account"
            text += f" → delegates to the IAM policies of {where}"
        else:
            text += f" → {self.principals}"
        return text + (f" (not resolved: {self.unresolved})" if self.unresolved else "")
