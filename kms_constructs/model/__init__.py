"""Facts: KMS actions and key specs, policies, keys, the estate that holds them. Pure: no CDK, no boto3."""
