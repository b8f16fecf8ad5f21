"""An audit of an account in the emulator, from the command line: what boto3 sends and moto answers."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import botocore.client
import pytest

from kms_constructs.cli import main as entry
from kms_constructs.errors import SourceError
from kms_constructs.runtime.asking import Asker
from kms_constructs.runtime.inventory import Inventory
from kms_constructs.runtime.sessions import Wanted, sessions_for
from kms_constructs.sources.kms_api.answers import Answers, read_answers
from kms_constructs.sources.kms_api.estate import estate_from_answers
from tests.cdk.keys import ACCOUNT
from tests.emulator.cloudformation import client_of
from tests.runtime.replay import client_error

pytestmark = [pytest.mark.emulator]
REGIONS = ("eu-west-1", "us-east-1")
ROOT = {
    "Sid": "Root",
    "Effect": "Allow",
    "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
    "Action": ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:PutKeyPolicy"],
    "Resource": "*",
    "Condition": {"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:root"}},
}
ALL = {"Sid": "All", "Effect": "Allow", "Principal": "*", "Action": "kms:Decrypt", "Resource": "*"}


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [ROOT, *statements]})


@pytest.fixture(scope="module")
def account(emulator: None) -> dict[str, str]:
    """An account with a key for each violation."""
    kms = client_of("kms", "eu-west-1")

    def key(alias: str = "", *, rotates: bool = True, **given: Any) -> str:
        made = kms.create_key(**{"Policy": policy(), **given})["KeyMetadata"]["KeyId"]
        if rotates:
            kms.enable_key_rotation(KeyId=made)
        if alias:
            kms.create_alias(AliasName=f"alias/{alias}", TargetKeyId=made)
        return str(made)

    found = {
        "good": key("good"),
        "still": key("still", rotates=False),
        "public": key("public", Policy=policy(ALL)),
        "nameless": key(),
        "granted": key("granted"),
        "going": key("going"),
    }
    kms.create_grant(
        KeyId=found["granted"],
        GranteePrincipal="arn:aws:iam::444455556666:role/X",
        Operations=["Decrypt"],
    )
    kms.schedule_key_deletion(KeyId=found["going"], PendingWindowInDays=7)
    iam = client_of("iam", "us-east-1")
    iam.create_role(RoleName="App", AssumeRolePolicyDocument="{}")
    everything = {"Effect": "Allow", "Action": "kms:*", "Resource": "*"}
    iam.put_role_policy(
        RoleName="App",
        PolicyName="all",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    client_of("kms", "us-east-1").create_key(Policy=policy())
    return found


@pytest.fixture(scope="module")
def report(account: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    folder = tmp_path_factory.mktemp("audit")
    regions = [word for region in REGIONS for word in ("--region", region)]
    with pytest.raises(SystemExit) as exit_:
        entry.main(
            [
                "audit",
                *regions,
                "--no-last-usage",
                "-o",
                str(folder / "out.json"),
                "--save",
                str(folder / "saved.json"),
            ]
        )
    assert exit_.value.code == 1
    return json.loads((folder / "out.json").read_text("utf-8")), folder


VIOLATIONS = {
    "good": set(),
    "still": {"KMS:001[enabled]"},
    "public": {"KMS:004[public]", "IAM-KMS-6[caller-account]", "IAM-KMS-6[via-service]"},
    "nameless": {"KMS:010[missing]"},
    "granted": {"KMS:004[cross-account]"},
    "going": {"KMS:002[pending-deletion]"},
}


@pytest.mark.parametrize("name", VIOLATIONS)
def test_each_key_breaks_what_it_was_made_to_break(
    report: tuple[dict[str, Any], Path], account: dict[str, str], name: str
) -> None:
    found = {
        one["id"]
        for one in report[0]["findings"]
        if one["location"]["logicalId"] == account[name] and one["outcome"] == "violation" and one["fails"]
    }
    assert found == VIOLATIONS[name]


def test_every_region_and_the_iam_of_the_account_are_read(report: tuple[dict[str, Any], Path]) -> None:
    assert {one["region"] for one in report[0]["keys"]} == set(REGIONS)
    assert "IAM-KMS-3[iam-policy]" in {one["id"] for one in report[0]["findings"]}
    assert [one for one in report[0]["findings"] if one["id"] == "KMS:LIVE[unanswered]"] == []


def test_what_was_saved_is_judged_alike_without_aws(report: tuple[dict[str, Any], Path]) -> None:
    document, folder = report
    with pytest.raises(SystemExit):
        entry.main(["audit", "--offline", str(folder / "saved.json"), "-o", str(folder / "again.json")])
    again = json.loads((folder / "again.json").read_text("utf-8"))
    assert again["findings"] == document["findings"]
    assert "testing" not in (folder / "saved.json").read_text("utf-8")


OTHER = "444455556666"
HOME = "123456789012"
"""The account of credentials of which moto is not told another."""


class TestSessions:
    @pytest.fixture(autouse=True)
    def _account(self, account: dict[str, str]) -> None:
        """There is an account."""

    def test_many_accounts_by_one_role(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MOTO_ACCOUNT_ID")  # else every caller is of that account
        wanted = Wanted(
            role_arn="arn:aws:iam::{account}:role/Audit",
            regions=("eu-west-1",),
            accounts=(HOME, OTHER),
            last_usage=False,
        )
        found = sessions_for(wanted)
        assert [(one.account, one.refusal) for one in found.scopes] == [(HOME, None), (OTHER, None)]
        for account in (HOME, OTHER):
            found.client(account, "eu-west-1", "kms").create_key(Policy=policy())
        answers = Answers(tuple(found.scopes))
        Inventory(Asker(answers, found.client)).run()
        assert {key.account for key in estate_from_answers(answers).keys} == {HOME, OTHER}

    def test_one_client_for_a_region_however_many_threads_ask(self) -> None:
        found = sessions_for(Wanted(regions=("eu-west-1",)))
        made: list[object] = []
        threads = [
            threading.Thread(target=lambda: made.append(found.client(ACCOUNT, "eu-west-1", "kms")))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({id(one) for one in made}) == 1

    def test_all_enabled_regions_without_any_given(self) -> None:
        (scope,) = sessions_for(Wanted()).scopes
        assert {"eu-west-1", "us-east-1"} <= set(scope.regions)

    def test_an_account_without_a_role_is_one_that_cannot_be_asked(self) -> None:
        found = sessions_for(Wanted(regions=("eu-west-1",), accounts=(ACCOUNT, OTHER)))
        refusals = {one.account: one.refusal for one in found.scopes}
        assert refusals[ACCOUNT] is None
        assert refusals[OTHER] is not None
        estate = estate_from_answers(Answers(tuple(found.scopes)))
        assert ("sts:AssumeRole", OTHER) in {(one.call, one.location.source) for one in estate.unanswered}

    def test_a_role_of_one_account_is_no_role_of_another(self) -> None:
        wanted = Wanted(
            role_arn=f"arn:aws:iam::{ACCOUNT}:role/Audit", regions=("eu-west-1",), accounts=(ACCOUNT, OTHER)
        )
        refusals = {one.account: one.refusal for one in sessions_for(wanted).scopes}
        assert refusals[ACCOUNT] is None
        assert refusals[OTHER] is not None

    def test_what_is_no_account(self) -> None:
        with pytest.raises(SourceError, match="is no account id"):
            sessions_for(Wanted(accounts=("prod",)))

    def test_the_accounts_of_the_organization_and_its_policies(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("MOTO_ACCOUNT_ID")
        organizations = client_of("organizations", "us-east-1")
        organizations.create_organization(FeatureSet="ALL")
        root = organizations.list_roots()["Roots"][0]["Id"]
        organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
        made = organizations.create_account(Email="a@example.com", AccountName="a")
        member = made["CreateAccountStatus"]["AccountId"]
        deny = {"Effect": "Deny", "Action": "kms:ScheduleKeyDeletion", "Resource": "*"}
        created = organizations.create_policy(
            Content=json.dumps({"Version": "2012-10-17", "Statement": [deny]}),
            Description="d",
            Name="no-deletion",
            Type="SERVICE_CONTROL_POLICY",
        )
        organizations.attach_policy(PolicyId=created["Policy"]["PolicySummary"]["Id"], TargetId=root)
        wanted = Wanted(
            role_arn="arn:aws:iam::{account}:role/Audit",
            regions=("eu-west-1",),
            accounts=("organization",),
            last_usage=False,
        )
        found = sessions_for(wanted)
        assert {one.account for one in found.scopes} == {HOME, member}
        answers = Answers(tuple(found.scopes))
        Inventory(Asker(answers, found.client)).run()
        scps = estate_from_answers(answers).organization.scps
        denying = [one for one in scps if any(statement.effect == "Deny" for statement in one.statements)]
        bound = {
            value
            for one in denying
            for statement in one.statements
            for condition in statement.conditions
            for value in condition.values
        }
        assert bound == {HOME, member}

    @pytest.mark.parametrize(
        ("operation", "call"),
        [
            ("DescribeRegions", "ec2:DescribeRegions"),
            ("AssumeRole", "sts:AssumeRole"),
            ("GetCallerIdentity", "sts:GetCallerIdentity"),
        ],
    )
    def test_what_was_refused_while_signing_in_is_named(
        self, monkeypatch: pytest.MonkeyPatch, operation: str, call: str
    ) -> None:
        real = botocore.client.BaseClient._make_api_call
        made: list[str] = []

        def refuses(client: Any, name: str, given: Any) -> Any:
            made.append(name)
            # Whoever asks has signed in before.
            if name == operation and len(made) > 1:
                raise client_error("AccessDenied")
            return real(client, name, given)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", refuses)
        found = sessions_for(Wanted(role_arn=f"arn:aws:iam::{ACCOUNT}:role/Audit"))
        estate = estate_from_answers(read_answers(json.loads(Answers(tuple(found.scopes)).to_text()), "a"))
        assert [(one.call, one.code) for one in estate.unanswered] == [(call, "AccessDenied")]

    def test_a_profile_whose_token_has_expired_leaves_the_others_to_be_asked(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        config = tmp_path / "config"
        profiles = (
            f"[profile {name}]\naws_access_key_id = {name}\naws_secret_access_key = testing\n"
            for name in ("good", "old")
        )
        config.write_text("".join(profiles), "utf-8")
        monkeypatch.setenv("AWS_CONFIG_FILE", str(config))
        real = botocore.client.BaseClient._make_api_call

        def expires(client: Any, name: str, given: Any) -> Any:
            if client._request_signer._credentials.access_key == "old":
                raise client_error("ExpiredToken")
            return real(client, name, given)

        monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", expires)
        found = {one.account: one for one in sessions_for(Wanted(profiles=("old", "good"))).scopes}
        assert set(found) == {"profile old", ACCOUNT}
        refusal = found["profile old"].refusal
        assert refusal is not None
        assert (refusal.code, found["profile old"].refused) == ("ExpiredToken", "sts:GetCallerIdentity")
        with pytest.raises(SourceError, match="profile old: AWS cannot be asked with it"):
            sessions_for(Wanted(profiles=("old",)))
