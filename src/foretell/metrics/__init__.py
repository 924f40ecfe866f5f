"""What is counted and measured, in every process, cheaply; and all of it in one answer for Prometheus. Knows no framework."""
