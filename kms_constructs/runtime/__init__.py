"""What talks to AWS. Needs boto3 (extra ``runtime``); clients are handed in."""
