"""养老服务: the elderly-care system behind an SQL exchange database (前置库)."""
