"""What was predicted: the log that people read, the usage that quotas are counted by, and the drainer that fills both."""
