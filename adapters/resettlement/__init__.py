"""移民扶持: the resettlement support office behind a CSV file front machine (前置机)."""
