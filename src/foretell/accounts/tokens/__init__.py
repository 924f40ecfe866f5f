"""JSON Web Tokens: short access tokens that anybody can verify with the JWKS alone, and refresh tokens that rotate.

`claims`, `verifying`, `refresh_tokens` and `sealing` know no table; `signing_keys` keeps the keys; `services` is what views, the
command line and account flows call.
"""
