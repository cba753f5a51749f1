"""The edge towards the departments: durable outward work, polling, taking over from gateways that died."""
