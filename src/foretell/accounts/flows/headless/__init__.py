"""allauth's headless API, as its clients know it, at `/api`: for the pages of a team's own application on the tenant's own host.

It works with the browser's session and its CSRF token; what a body may hold is strict, and what changes somebody is our services'.
"""
