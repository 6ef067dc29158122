"""What runs in the sandbox: standard library only at import, and no other module of this package.

The checker imports `wire` from here too, as both ends must speak the same protocol. Nothing here is secret.
"""
