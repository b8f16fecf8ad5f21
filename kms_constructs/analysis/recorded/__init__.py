"""What CloudTrail recorded of a key, held against what policies allow."""
