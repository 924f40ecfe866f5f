"""Signing in with somebody else's word for who one is: OpenID Connect providers, each tenant its own.

`services` keeps them, `joining` decides who comes in by one, `provider` and `views` speak the protocol on allauth.socialaccount, and
`fetching` asks addresses that a tenant's owner typed in.
"""
