"""What AWS answered when it was asked about live keys, as an estate. Pure: nothing here asks."""
