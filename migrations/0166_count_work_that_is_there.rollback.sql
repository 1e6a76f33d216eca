-- The sums go with 0164.
ANALYZE rollups;
