"""A tenant as one file, to be read by another installation: its rows, as JSON lines for each table, and its artifacts.

A tar, written and read as a stream: nothing is held whole. `foretell.json` is first and says what it is; `manifest.json` is last and has
the SHA-256 of each file before it, so that an archive that was cut short, or changed, is refused as a whole.
"""
