DROP TABLE IF EXISTS problems;
SELECT unwatch_counts('problems');
