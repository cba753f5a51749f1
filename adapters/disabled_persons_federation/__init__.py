"""残联: disability cards, subsidies and treatment."""
