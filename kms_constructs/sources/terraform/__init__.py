"""Plans and states of Terraform and OpenTofu (``terraform show -json``) as an estate."""
