"""The chain of the installation itself (tenants made, suspended, deleted), and the heads of all chains. In the public schema."""
