DROP FUNCTION IF EXISTS usage_of_businesses(date);
DROP TABLE IF EXISTS usage_by_day;
