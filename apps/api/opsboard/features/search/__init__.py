"""Search: jobs, customers, contacts, leads, machines, people and documents by any of their words."""
