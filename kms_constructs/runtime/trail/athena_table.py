"""A table of Athena's over the files that CloudTrail delivers, and the two relations made of it.

The table is AWS's, with partition projection: no partition is ever loaded, and a query that says its days
reads the folders of these days alone. The relations mean what `kms_constructs.detections.relations.flatten`
means; a test runs them on DuckDB over the same nested rows and compares. That JsonSerDe gives inner objects,
such as ``requestparameters``, as JSON text is AWS's word and was not tried on AWS.

See: https://docs.aws.amazon.com/athena/latest/ug/create-cloudtrail-table-partition-projection.html
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from kms_constructs.errors import ArgumentError
from kms_constructs.model.arn import PARTITIONS, is_account_id
from kms_constructs.runtime.trail.catalogue import athena_relations
from kms_constructs.runtime.trail.compile import FORMS, FUNCTIONS, Asked, Dialect, Sources, bind, parse

if TYPE_CHECKING:
    from sqlglot import exp

COLUMNS: Final[Mapping[str, str]] = {
    "eventversion": "string",
    "useridentity": "struct<type:string,principalid:string,arn:string,accountid:string,invokedby:string,"
    "sessioncontext:struct<sessionissuer:struct<arn:string>>>",
    **dict.fromkeys(
        ("eventtime", "eventsource", "eventname", "awsregion", "sourceipaddress", "useragent", "errorcode"),
        "string",
    ),
    **dict.fromkeys(
        ("errormessage", "requestparameters", "responseelements", "additionaleventdata", "eventid"), "string"
    ),
    "resources": "array<struct<arn:string,accountid:string,type:string>>",
    **dict.fromkeys(
        ("eventtype", "readonly", "recipientaccountid", "serviceeventdetails", "sharedeventid"), "string"
    ),
    **dict.fromkeys(("vpcendpointid", "eventcategory"), "string"),
}
"""Columns of the table that the relations need, of those in AWS's table, and their types in Hive."""

DELIVERY: Final = timedelta(days=1)
"""How much later than its event a record may lie: what happens before midnight is delivered after it."""
_FIRST_FOLDER: Final = "2013/11/01"
_FUNCTIONS: Final = FUNCTIONS | {
    "array", "array_concat", "array_min", "concat", "filter", "first_value", "json_extract_scalar", "nullif",
    "str_position", "str_to_time", "substring", "transform", "unnest",
    *("asked_of", "bucket_key_of", "bucket_keys_of", "count_of", "first_of", "json_part", "once_each"),
    *("partition_of", "s3_key_of", "second_of"),
}  # fmt: skip
"""Compared on DuckDB, and accepted by two parsers of Trino's; never compiled for Spark. Behind the stars are
names of this module alone: see `_written`."""
_S3_HEADER: Final = r'(?i)"x-amz-server-side-encryption-aws-kms-key-id":\s*\[?\s*"([^"]*)"'
"""S3 writes the header in several ways, alone and in a list."""
_RULE: Final = "ApplyServerSideEncryptionByDefault.KMSMasterKeyID"
_FORMS: Final = FORMS | {"dot", "jsonpath", "jsonpathkey", "jsonpathroot", "lambda"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a trail delivers.

    Args:
        bucket: Name of the bucket.
        prefix: What the trail was told to put before ``AWSLogs``; empty for nothing.
        organization: Id of the organization whose trail it is; None for a trail of one account.
        accounts: Of the folders to read.
        regions: Of the folders to read.

    Raises:
        ArgumentError: A part cannot be one.
    """

    bucket: str
    prefix: str = ""
    organization: str | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _matching("bucket", self.bucket, r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "give the name of a bucket")
        _matching("prefix", self.prefix, r"[A-Za-z0-9!_.*()/=-]{0,200}", "give the prefix of the trail")
        if self.organization is not None:
            _matching("organization", self.organization, r"o-[a-z0-9]{10,32}", "give its id: o-…")
        for region in self.regions:
            _matching("region", region, r"[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", "give a Region: eu-central-1")
        for account in self.accounts:
            if not is_account_id(account):
                raise ArgumentError("account", account, "an account id is twelve digits", "give the id")

    @property
    def root(self) -> str:
        """Key of the folder with the folders of the accounts, with a slash at its end."""
        parts = (self.prefix.strip("/"), "AWSLogs", self.organization or "")
        return "".join(f"{part}/" for part in parts if part)

    def folder(self, account: str, region: str) -> str:
        """Key of the folder with the years of a Region."""
        return f"{self.root}{account}/CloudTrail/{region}/"


@dataclass(frozen=True, slots=True)
class AthenaTable:
    """A table over a layout.

    Args:
        database: In which it is.
        layout: What it is over.
        name: None for one that tells layouts apart, so that ``create if not exists`` never meets another's.

    Raises:
        ArgumentError: A name cannot be one.

    Example:
        >>> layout = Layout(bucket="trail-of-ours", accounts=("111122223333",), regions=("eu-central-1",))
        >>> print(AthenaTable("logs", layout, "kms_trail").create_statement().splitlines()[0])
        CREATE EXTERNAL TABLE IF NOT EXISTS `logs`.`kms_trail` (
    """

    database: str
    layout: Layout
    name: str | None = None

    def __post_init__(self) -> None:
        for argument, text in (("database", self.database), ("table", self.table)):
            _matching(argument, text, r"[a-z_][a-z0-9_]{0,126}", "use small letters, digits and underscores")

    @property
    def table(self) -> str:
        """Its name."""
        known = hashlib.sha256(repr(self.layout).encode()).hexdigest()[:12]
        return self.name if self.name is not None else f"kms_constructs_trail_{known}"

    def create_statement(self) -> str:
        """The DDL of the table."""
        layout = self.layout
        folder = layout.folder("${account}", "${region}")
        properties = {
            "projection.enabled": "true",
            "projection.account.type": "enum",
            "projection.account.values": ",".join(layout.accounts),
            "projection.region.type": "enum",
            "projection.region.values": ",".join(layout.regions),
            "projection.day.type": "date",
            "projection.day.format": "yyyy/MM/dd",
            "projection.day.range": f"{_FIRST_FOLDER},NOW",
            "projection.day.interval": "1",
            "projection.day.interval.unit": "DAYS",
            "storage.location.template": f"s3://{layout.bucket}/{folder}${{day}}",
        }
        columns = ",\n".join(f"  `{name}` {kind}" for name, kind in COLUMNS.items())
        said = ",\n".join(f"  '{name}' = '{text}'" for name, text in properties.items())
        return (
            f"CREATE EXTERNAL TABLE IF NOT EXISTS `{self.database}`.`{self.table}` (\n{columns}\n)\n"
            "PARTITIONED BY (`account` string, `region` string, `day` string)\n"
            "ROW FORMAT SERDE 'org.apache.hive.hcatalog.data.JsonSerDe'\n"
            "STORED AS INPUTFORMAT 'com.amazon.emr.cloudtrail.CloudTrailInputFormat'\n"
            "OUTPUTFORMAT 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat'\n"
            f"LOCATION 's3://{layout.bucket}/{layout.root}'\n"
            f"TBLPROPERTIES (\n{said}\n)"
        )

    def sources(self, asked: Asked, dialect: Dialect = "trino") -> Sources:
        """``events`` and ``event_keys`` of the files of the days asked.

        Args:
            asked: What a report is asked about.
            dialect: ``duckdb`` is for tests, over the same nested rows.
        """
        from sqlglot import exp

        made = {}
        for query in athena_relations().values():
            tree = bind(parse(query, _FUNCTIONS, _FORMS), folders(asked))
            tree = _expanded(tree, dialect)
            for table in tree.find_all(exp.Table):
                if table.name == "records":
                    table.replace(exp.table_(self.table, db=self.database, quoted=True))
            made[query.name] = tree
        return Sources(made_of=made, unique=False)


def folders(asked: Asked) -> dict[str, str]:
    """The first and the last day whose folders may hold what happened on the days asked.

    Example:
        >>> from datetime import date
        >>> folders(Asked(since=date(2026, 5, 1), until=date(2026, 5, 31)))
        {'first_folder': '2026/05/01', 'last_folder': '2026/06/01'}
    """
    return {
        "first_folder": asked.since.strftime("%Y/%m/%d"),
        "last_folder": (asked.until + DELIVERY).strftime("%Y/%m/%d"),
    }


def _matching(argument: str, text: str, pattern: str, fix: str) -> None:
    if re.fullmatch(pattern, text) is None:
        raise ArgumentError(argument, text, f"it is not of the form {pattern}", fix)


def _expanded(tree: exp.Query, dialect: Dialect) -> exp.Query:
    """The tree with the names of `_written` written out; from the inside, for they stand in each other."""
    from sqlglot import exp

    written = _written(dialect)
    for node in reversed(list(tree.find_all(exp.Anonymous))):
        if node.name.lower() in written:
            node.replace(_expression(written[node.name.lower()], dialect, node.expressions))
    return tree


def _expression(text: str, dialect: Dialect, arguments: Sequence[exp.Expr]) -> exp.Expr:
    """An expression of a dialect with arguments put where ``$1``, ``$2`` and so on stand."""
    import sqlglot
    from sqlglot import exp

    tree = sqlglot.parse_one(re.sub(r"\$(\d)", r"_argument_\1", text), read=dialect)
    places = {f"_argument_{number}": one for number, one in enumerate(arguments, start=1)}
    for column in list(tree.find_all(exp.Column)):
        if column.name in places:
            column.replace(places[column.name].copy())
    return tree


def _written(dialect: Dialect) -> dict[str, str]:
    """What every engine writes in its own way, or would have to be written often."""
    partitions = "".join(
        f"WHEN $1 LIKE '{prefix}%' THEN '{partition.name}' "
        for partition in PARTITIONS.values()
        for prefix in partition.region_prefixes
    )
    rules = "$.ServerSideEncryptionConfiguration.Rule"
    shared = {
        "asked_of": "NULLIF(NULLIF($1, ''), 'HIDDEN_DUE_TO_SECURITY_REASONS')",
        "partition_of": f"CASE {partitions} ELSE 'aws' END",
        "s3_key_of": f"NULLIF(REGEXP_EXTRACT($1, '{_S3_HEADER}', 1), '')",
    }
    if dialect == "trino":
        return shared | {
            "bucket_key_of": f"JSON_EXTRACT_SCALAR($1, '{rules}.{_RULE}')",
            "bucket_keys_of": f"JSON_EXTRACT_SCALAR($1, '{rules}[0].{_RULE}')",
            "count_of": "CARDINALITY($1)",
            "first_of": "ELEMENT_AT($1, 1)",
            "second_of": "ELEMENT_AT($1, 2)",
            # json_parse sorts names; what is no JSON is NULL.
            "json_part": "JSON_FORMAT(JSON_EXTRACT(TRY(JSON_PARSE($1)), $2))",
            "once_each": "ARRAY_DISTINCT($1)",
        }
    return shared | {
        "bucket_key_of": f"JSON_EXTRACT_STRING($1, '{rules}.{_RULE}')",
        "bucket_keys_of": f"JSON_EXTRACT_STRING($1, '{rules}[0].{_RULE}')",
        "count_of": "LEN($1)",
        "first_of": "LIST_EXTRACT($1, 1)",
        "second_of": "LIST_EXTRACT($1, 2)",
        "json_part": "CAST(JSON_EXTRACT($1, $2) AS VARCHAR)",
        # Trino's keeps the order, DuckDB's does not.
        "once_each": "LIST_FILTER($1, lambda one, place: LIST_POSITION($1, one) = place)",
    }
