"""The operators' admin: tenants, domains, plans, health. On a host of its own, off unless one is configured.

Security: there is no operator's password to guess, phish or forget. Who can run `foretell` where the installation lives is an operator;
there they get a link that works once, within minutes, and opens a session of an hour.
"""
