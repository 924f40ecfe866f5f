"""How a signature is found out: what the estimator says of its columns and answers, and what the sample shows."""
