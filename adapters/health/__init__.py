"""Health bureau (卫健): the death registry that issues the death medical certificate."""
