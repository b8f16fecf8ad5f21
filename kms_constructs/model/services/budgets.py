"""Budgets that notify encrypted topics."""

from __future__ import annotations

from kms_constructs.model.service_requirement import (
    ACCOUNT,
    ANY_FORM,
    PARTITION,
    SOURCE_ACCOUNT,
    SOURCE_ARN,
    TOPIC,
    Caller,
    Consumer,
    PresetText,
    Row,
    ServiceRequirement,
    Shape,
    Step,
    Who,
)

_PAGE = "https://docs.aws.amazon.com/cost-management/latest/userguide/budgets-sns-policy.html"

REQUIREMENT = ServiceRequirement(
    name="budgets",
    title="AWS Budgets",
    pages=(
        _PAGE,
        "https://docs.aws.amazon.com/sns/latest/dg/sns-key-management.html",
    ),
    callers=(
        Caller(
            who=Who.SERVICE,
            principal="budgets.amazonaws.com",
            actions=("Decrypt", "GenerateDataKey"),
            page=_PAGE,
            sends={SOURCE_ACCOUNT: ACCOUNT, SOURCE_ARN: f"arn:{PARTITION}:budgets::{ACCOUNT}:*"},
            limits=(
                ("StringEquals", SOURCE_ACCOUNT),
                ("ArnLike", SOURCE_ARN),
            ),
            note="The actions are those of the page on SNS for every service that publishes.",
        ),
    ),
    consumers=(
        Consumer(
            (
                Step(
                    "AWS::Budgets::Budget",
                    ("NotificationsWithSubscribers/*/Subscribers/*/Address",),
                    {"NotificationsWithSubscribers/*/Subscribers/*/SubscriptionType": "SNS"},
                ),
                TOPIC,
            ),
            ANY_FORM,
            _PAGE,
        ),
    ),
    rows=(
        Row(
            "Budget to SNS",
            "budgets.CfnBudget(notifications_with_subscribers=[…topic.topic_arn…])",
            "budgets.amazonaws.com",
            "services=[ServiceAccess.budgets()]",
        ),
    ),
    preset=PresetText(
        call="ServiceAccess.budgets(…)",
        sid="Budgets",
        shape=Shape.SOURCES,
        summary="Lets AWS Budgets notify topics that are encrypted with this key.",
        detail="Budget and topic lie in one account.",
        source="budgets",
        sources="ARNs of the budgets",
    ),
    asks_as=("budgets.amazonaws.com",),
)
