-- transactional: false
-- depends: 0160_reasons_of_records
-- Records and stops of before get their reason and process from the triggers of 0160. In short transactions of their own,
-- so that writers wait for little of it.
CALL fill_reasons_of_records();
ANALYZE reasons;
