"""The tenant's audit over REST, for those who may read it. What is written down, and how, is `foretell.audit`'s."""
