"""The registry's REST routes: each view translates in, makes one call, translates out."""
