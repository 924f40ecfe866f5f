"""From a trained model to a served version: the one place where the client meets the conversion."""

from foretell.publishing.pushing import push

__all__ = ["push"]
