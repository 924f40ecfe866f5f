"""Signing up, in and out, verifying an address, and passwords: django-allauth's flows, held to this house's doors, limits and audit.

allauth walks people through the steps of a sign-in. Who they are, `accounts.backends` says; whether a password is enough,
`accounts.sign_in_policy`; and what changes somebody is a service of this package or of `accounts.people`. So there is one way in,
whatever page or program asks.
"""
