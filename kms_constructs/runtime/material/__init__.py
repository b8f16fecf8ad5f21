"""Imported key material: wrapped, imported, renewed, rotated, deleted, and never shown.

Material lives in a `Secret`, which is overwritten when it is done with; everything that leaves this package
is wrapped under a public key, or was asked for by name. No exception holds material, nor does the repr of a
value that stays alive.

See: https://docs.aws.amazon.com/kms/latest/developerguide/importing-keys.html
"""
