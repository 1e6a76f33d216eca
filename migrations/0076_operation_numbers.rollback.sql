DROP FUNCTION IF EXISTS business_numbers();
DROP FUNCTION IF EXISTS sequence_use();
DROP FUNCTION IF EXISTS unfolded_deltas();
