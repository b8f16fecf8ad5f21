"""`SecureKmsKey`, its replicas and its seal."""
