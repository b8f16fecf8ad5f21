"""What talks to AWS. Needs boto3 (extra ``runtime`` or ``material``); clients are handed in."""
