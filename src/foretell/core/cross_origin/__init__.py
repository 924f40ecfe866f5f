"""Which other sites' pages may read a tenant's API (CORS). By default none may."""
