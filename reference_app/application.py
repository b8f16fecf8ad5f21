"""Puts the stacks of the chosen environments into an app, under the guardrails."""

from __future__ import annotations

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks
from constructs import Construct

from kms_constructs import ArgumentError, enforce_guardrails
from reference_app.data_stack import DataStack
from reference_app.environments import ENVIRONMENTS, Environment
from reference_app.key_stack import KeyStack


def build(app: cdk.App) -> None:
    """Adds the stacks of the environments that the context chooses.

    Raises:
        ArgumentError: There is no such environment.
    """
    chosen = app.node.try_get_context("environment") or "all"
    if chosen not in ENVIRONMENTS:
        raise ArgumentError(
            "environment",
            chosen,
            f"one of {', '.join(ENVIRONMENTS)}",
            "choose one by CDK context: cdk synth -c environment=prod",
        )
    for environment in ENVIRONMENTS[chosen]:
        add_environment(app, environment)
    enforce_guardrails(app)
    cdk.Validations.of(app).add_plugins(AwsSolutionsChecks(app))


def add_environment(scope: Construct, environment: Environment) -> None:
    """Adds the key stack of one environment, and a data stack for each of its Regions."""
    keys = KeyStack(scope, f"{environment.name}-data-key", environment=environment)
    DataStack(
        scope,
        f"{environment.name}-data",
        environment=environment,
        key=keys.key,
        reports=keys.reports,
    )
    for region in environment.replica_regions:
        replica = keys.key.replica(region)
        cdk.Validations.of(cdk.Stack.of(replica)).acknowledge(
            cdk.Acknowledgment(
                id="Annotation::kms-constructs:replica-stack",
                reason="A Region that is given up is cleaned up by hand, once its data has moved",
            )
        )
        DataStack(
            scope,
            f"{environment.name}-data-{region}",
            environment=environment,
            key=replica,
            reports=keys.reports,
            region=region,
        )
