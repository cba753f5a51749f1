"""Civil affairs and the funeral home (民政 / 殡仪馆): the funeral information system."""
