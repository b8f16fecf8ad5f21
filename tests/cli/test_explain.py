from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import ADMIN, ROOT, USER, Run, policy, statement, template, write


def test_the_matrix(run: Run, good: Path) -> None:
    done = run("explain", good)
    assert done.code == 0
    assert USER in done.out
    assert "● allowed     read, encrypt  by Users" in done.out
    assert "○ delegated" in done.out
    assert done.err == ""


@pytest.mark.parametrize("name", ["alias/orders", "orders", "OrdersKey", "Orders*", "alias/*", "*good.json"])
def test_a_key_by_name(run: Run, good: Path, name: str) -> None:
    document = run("explain", good, "--key", name, "--format", "json").json()
    assert [item["key"]["aliases"] for item in document["keys"]] == [["alias/orders"]]


def test_a_key_by_stack_and_logical_id(run: Run, tmp_path: Path) -> None:
    for name in ("One", "Two"):
        write(tmp_path / f"{name}.template.json", template())
    artifacts = {
        name: {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/eu-west-1",
            "properties": {"templateFile": f"{name}.template.json"},
        }
        for name in ("One", "Two")
    }
    write(tmp_path / "manifest.json", {"version": "55.0.0", "artifacts": artifacts})
    document = run("explain", tmp_path, "--key", "Two/OrdersKey", "--format", "json").json()
    assert [item["key"]["location"]["stack"] for item in document["keys"]] == ["Two"]


def test_no_such_key(run: Run, good: Path) -> None:
    done = run("explain", good, "--key", "alias/order")
    assert done.code == 2
    assert "--key alias/order: no key is called so. Fix: use one of alias/orders" in done.err


def access(
    document: dict[str, list[dict[str, list[dict[str, list[dict[str, object]]]]]]],
) -> dict[object, object]:
    (key,) = document["keys"]
    (row,) = key["principals"]
    return {cell["capability"]: cell["access"] for cell in row["access"]}


@pytest.mark.parametrize(
    ("principal", "expected"),
    [
        pytest.param(
            USER,
            {
                "read": "allowed",
                "encrypt": "allowed",
                "manage": "delegated",
                "disable": "delegated",
                "schedule deletion": "delegated",
                "put policy": "delegated",
                "rotation off": "delegated",
                "create grant": "delegated",
                "decrypt": "delegated",
            },
            id="named-and-delegated",
        ),
        pytest.param("arn:aws:iam::444455556666:role/Other", {}, id="another-account"),
        pytest.param("s3.amazonaws.com", {}, id="service"),
        pytest.param(
            ROOT,
            dict.fromkeys(
                (
                    "read",
                    "manage",
                    "disable",
                    "schedule deletion",
                    "put policy",
                    "rotation off",
                    "create grant",
                    "encrypt",
                    "decrypt",
                ),
                "allowed",
            ),
            id="root",
        ),
    ],
)
def test_a_principal_whether_named_or_not(
    run: Run, good: Path, principal: str, expected: dict[str, str]
) -> None:
    document = run("explain", good, "--principal", principal, "--format", "json").json()
    assert access(document) == expected


def test_iam_policies_of_the_template_count(run: Run, tmp_path: Path) -> None:
    document = template({"KeyPolicy": policy(statement("Root", ROOT, "kms:*"))})
    resources = document["Resources"]
    assert isinstance(resources, dict)
    resources["Admin"] = {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "RoleName": "Admin",
            "AssumeRolePolicyDocument": policy(),
            "Policies": [
                {
                    "PolicyName": "Keys",
                    "PolicyDocument": policy(
                        {
                            "Sid": "Sign",
                            "Effect": "Allow",
                            "Action": "kms:Decrypt",
                            "Resource": {"Fn::GetAtt": ["OrdersKey", "Arn"]},
                        }
                    ),
                }
            ],
        },
    }
    file = write(tmp_path / "t.json", document)
    found = run("explain", file, "--account", "111122223333", "--principal", ADMIN, "--format", "json").json()
    (row,) = found["keys"][0]["principals"]
    (decrypt,) = [cell for cell in row["access"] if cell["capability"] == "decrypt"]
    assert decrypt["access"] == "allowed"
    assert any("Keys" in item for item in decrypt["statements"])


@pytest.mark.parametrize("format_", ["table", "json", "html", "markdown"])
def test_unreadable_input(run: Run, good: Path, broken: Path, format_: str) -> None:
    done = run("explain", good, broken, "--format", format_)
    assert done.code == 2
    assert USER in done.out
    assert "broken.json" in done.err


def test_the_page(run: Run, good: Path, tmp_path: Path) -> None:
    assert run("explain", good, "-o", "access.html").out == ""
    assert "Who may do what" in (tmp_path / "access.html").read_text("utf-8")


def test_no_key(run: Run, tmp_path: Path) -> None:
    file = write(tmp_path / "t.json", {"Resources": {"Bucket": {"Type": "AWS::S3::Bucket"}}})
    done = run("explain", file)
    assert (done.code, done.err) == (0, "There is no KMS key in what was given.\n")
