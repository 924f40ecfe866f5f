"""Second factors: codes of an authenticator app (TOTP), recovery codes and passkeys, on allauth.mfa.

allauth keeps them (`allauth.mfa.models.Authenticator`, in the tenant's schema) and leads through pages and its headless API. What is ours:
`adapter` (secrets at rest), `codes` (each once, guesses counted over all processes), `passkeys` (a tenant's own host),
`again` (showing once more who one is), `recording` (the audit) and `services` (who has one, and taking a lost one away). `seams` is where allauth has no setting for that.
"""
