"""SecureKmsKey and its kin, and the cdk-nag packs. The one package that imports aws_cdk."""
