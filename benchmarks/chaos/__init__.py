"""A gateway that is killed while it works: nothing lost, nothing done twice, nothing stuck."""
