"""Housing fund (住房公积金): raw TCP messages with a length prefix, GBK."""
