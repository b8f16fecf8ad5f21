"""CloudFormation templates, cloud assemblies and policy files, read into the model. Pure."""
