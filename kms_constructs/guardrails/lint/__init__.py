"""Parts of KMS:LINT, one file a subject: each yields what is wrong, and knows no rule."""
