"""Imported key material."""
