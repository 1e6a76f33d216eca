"""Working hours: the shifts of a week, of the business and of machines with their own."""
