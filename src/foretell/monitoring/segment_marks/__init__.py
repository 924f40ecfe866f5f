"""How far each segment of the prediction log is drained. In the public schema: a segment has records of many tenants."""
