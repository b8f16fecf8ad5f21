"""What the rules about live keys are made of."""
