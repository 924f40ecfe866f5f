"""A tenant's own admin, at /admin/ on its addresses: for its admins and owners, in its schema."""
