"""`Idempotency-Key`: a POST that is sent again, since its answer never came, changes nothing twice (the IETF's draft of that name).

DRF asks `once.Once` last of all, when it is sure that the caller may; `middleware` keeps the answer. An address that is answered
elsewhere (the fast lane) is no business of this.
"""
