"""The exceptions of this package, one small tree.

::

    KmsConstructsError
    ├── ArgumentError          an argument of a construct was refused
    │   └── SealedPolicyError  a key policy was to be widened after construction
    │       └── SealedSynthError   all such refusals of an app, at synth; uncaught it exits with 1
    ├── SourceError            a file could not be read as a template, policy or assembly
    ├── ConfigurationError     the guardrail configuration is wrong
    ├── MaterialError          key material was refused, or could not be imported
    │   └── KmsCallError       KMS refused a call, or could not be reached
    ├── QueryError             a query over a trail uses what engines do not agree on
    └── GuardrailError         guardrails were asked to hold and do not
        └── GuardrailSynthError    the guardrails of an app fail; uncaught it exits with 1

Catch `KmsConstructsError` to catch them all. No message ever holds key material or credentials.
"""

from __future__ import annotations


def how_to_install(extra: str) -> str:
    """What to call for an extra that is missing, published or not.

    Example:
        >>> print(how_to_install("cdk"))
        pip install 'kms-constructs[cdk]', or from a checkout of the repository: pip install '.[cdk]'
    """
    published = f"pip install 'kms-constructs[{extra}]'"
    return f"{published}, or from a checkout of the repository: pip install '.[{extra}]'"


class KmsConstructsError(Exception):
    """Base of every exception that this package raises on purpose."""

    def __reduce__(self) -> tuple[object, ...]:
        # The constructors take what the message is made of. Pickle would call them with the message, fail,
        # and leave a process pool hanging.
        return _restore, (type(self), self.args, vars(self))


def _restore(
    kind: type[KmsConstructsError], args: tuple[object, ...], attributes: dict[str, object]
) -> KmsConstructsError:
    error = kind.__new__(kind, *args)
    error.args = args
    vars(error).update(attributes)
    return error


class ArgumentError(KmsConstructsError, ValueError):
    """An argument was refused: what was given, what is allowed, what to do.

    Args:
        argument: Name of the argument, as the caller writes it.
        value: What was given; shown with `repr`, so never pass a secret.
        rule: What is allowed.
        fix: What to do about it.
        where: Construct path of the construct, when there is one.
        refused: What the message says is refused, where the caller did not write it as an argument.
    """

    def __init__(
        self, argument: str, value: object, rule: str, fix: str, *, where: str = "", refused: str = ""
    ) -> None:
        self.argument = argument
        self.value = value
        self.rule = rule
        self.fix = fix
        self.where = where
        place = f"{where}: " if where else ""
        super().__init__(f"{place}{refused or f'{argument}={value!r}'} is refused: {rule}. Fix: {fix}")


class SealedPolicyError(ArgumentError):
    """The key policy was to be widened after construction, which a sealed policy does not allow."""


class SealedSynthError(SealedPolicyError, SystemExit):
    """Everything that the sealed key policies of an app refused, raised by ``app.synth()``.

    It is a SystemExit as well: where nobody catches it, the process prints the refusals, without a traceback,
    and exits with 1. As a `SealedPolicyError` it has the parts of the first refusal.

    Args:
        first: The first refusal.
        refusals: What to say of each, the first included.
    """

    def __init__(self, first: ArgumentError, refusals: tuple[str, ...]) -> None:
        super().__init__(first.argument, first.value, first.rule, first.fix, where=first.where)
        self.refusals = refusals
        lines = list(refusals)
        if len(lines) > 1:
            numbered = (f"{number}. {line}" for number, line in enumerate(lines, 1))
            lines = [f"{len(lines)} wishes for more than sealed key policies say are refused:", *numbered]
        self.args = ("\n".join(lines),)

    @property
    def code(self) -> str:  # type: ignore[override]
        """What the interpreter prints to standard error when it exits with 1 for it."""
        return str(self)


class SourceError(KmsConstructsError):
    """An input could not be read.

    Args:
        source: The file or resource that could not be read.
        problem: What is wrong with it.
        fix: What to do about it.
        ends_early: Whether the input breaks off in the middle of something.
    """

    def __init__(self, source: str, problem: str, fix: str, *, ends_early: bool = False) -> None:
        self.ends_early = ends_early
        self.source = source
        self.problem = problem
        self.fix = fix
        super().__init__(f"{source}: {problem}. Fix: {fix}")


class ConfigurationError(KmsConstructsError):
    """The guardrail configuration holds something that is not understood.

    Args:
        source: The file or the kind of configuration.
        key: The offending key, dotted.
        problem: What is wrong with it.
        fix: What to do about it.
    """

    def __init__(self, source: str, key: str, problem: str, fix: str) -> None:
        self.source = source
        self.key = key
        self.problem = problem
        self.fix = fix
        super().__init__(f"{source}: {key}: {problem}. Fix: {fix}")


class MaterialError(KmsConstructsError):
    """Key material was refused, or what was to be done with it could not be done.

    Args:
        subject: The key, the file or the option that it is about; never material.
        problem: What is wrong.
        fix: What to do about it.
    """

    def __init__(self, subject: str, problem: str, fix: str) -> None:
        self.subject = subject
        self.problem = problem
        self.fix = fix
        super().__init__(f"{subject}: {problem}. Fix: {fix}")


class KmsCallError(MaterialError):
    """KMS refused a call, or could not be reached.

    Args:
        subject: The key.
        problem: What is wrong.
        fix: What to do about it.
        code: KMS's name of the error; empty when no answer came.
    """

    def __init__(self, subject: str, problem: str, fix: str, *, code: str = "") -> None:
        super().__init__(subject, problem, fix)
        self.code = code


class GuardrailError(KmsConstructsError, AssertionError):
    """Guardrails that were asserted do not hold; the message lists every finding."""


class GuardrailSynthError(GuardrailError, SystemExit):
    """The guardrails that `enforce_guardrails` put an app under fail at synth; the message is a short report.

    It is a SystemExit as well: where nobody catches it, as in an ``app.py``, the process prints the report,
    without a traceback, and exits with 1, whatever the CDK CLI selects or prints. Tests catch
    `GuardrailError`.
    """

    @property
    def code(self) -> str:  # type: ignore[override]
        """What the interpreter prints to standard error when it exits with 1 for it."""
        # Computed from the message, so that a copy that was pickled ends a process with 1 as well.
        return str(self)
