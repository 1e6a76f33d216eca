"""One module for each table: a function that measures and gives its rows."""
