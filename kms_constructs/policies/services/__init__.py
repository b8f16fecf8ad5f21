"""What each AWS service needs of a key. Pure data and the statements made of it."""
