from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.ministack import REGION, MiniStack, running


@pytest.fixture(scope="module")
def ministack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MiniStack]:
    with running(tmp_path_factory.mktemp("ministack")) as found:
        bootstrap = {"Name": "/cdk-bootstrap/hnb659fds/version", "Value": "30", "Type": "String"}
        found.client("ssm").put_parameter(**bootstrap)
        # Templates longer than CloudFormation takes in a request come from here.
        found.client("s3").create_bucket(
            Bucket="templates", CreateBucketConfiguration={"LocationConstraint": REGION}
        )
        found.client("logs").create_log_group(logGroupName="trail")
        yield found
