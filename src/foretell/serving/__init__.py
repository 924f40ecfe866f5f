"""The fast lane: predictions, answered before Django is reached. Raw ASGI, through interfaces it owns (`ports`).

Nothing here knows a framework or a database; `foretell.gateway` implements the ports, `foretell.config.asgi` puts them together.
"""
