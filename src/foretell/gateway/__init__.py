"""Where the fast lane meets the apps: what it asks of the world (`serving.ports`), answered from the database's contents in memory.

Nothing here is asked of the database while a prediction waits, but for a password that was not seen before and a version that
was never loaded on this host.
"""
