"""Every change of state has a row: who, what, from, to, when, by which credential, from where; chained, so that none goes unseen.

Services call `recording.record` inside their transaction; who acts is said once, at the door, by `actors`.
"""
