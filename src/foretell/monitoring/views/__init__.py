"""The prediction log over REST."""
