"""The OpenAPI document: what drf-spectacular does not see by itself, said once for every route.

`schema` reads views and serializers, `strict` the strict ones; `failures` adds how each operation fails, `examples` what goes in
and comes out. A view says nothing of these, unless it has something of its own to say.
"""
