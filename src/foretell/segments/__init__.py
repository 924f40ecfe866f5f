"""The durable prediction log on disk: what was asked and answered, before the caller has the answer. No framework, no database.

Each process appends to a file of its own; `foretell.monitoring.draining` moves the records to the database, each exactly once.
"""
