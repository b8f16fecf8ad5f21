"""What a key policy has to say, written: statements, external access, grants, organization policies. Pure."""
