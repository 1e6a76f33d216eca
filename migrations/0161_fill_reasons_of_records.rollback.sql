-- The columns go with 0160; reasons that were added stay.
ANALYZE reasons;
