"""Django's admin, twice: a tenant's own for its admins and owners, and one for operators. Both are faces: services decide, and write."""
