"""CloudFormation templates and cloud assemblies, read into the estate."""
