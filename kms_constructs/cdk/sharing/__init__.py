"""Access for IAM identities and other accounts."""
