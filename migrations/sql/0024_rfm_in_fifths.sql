-- RFM in fifths: two ladders may look at different months, and segments keep where one score ends and the next begins.

SELECT set_config('app.cross_shop', 'on', true);
ALTER TABLE tier_scores ADD COLUMN months integer;
UPDATE tier_scores s SET months = coalesce((SELECT l.months FROM tier_ladders l
  WHERE l.shop_id = s.shop_id AND l.metric = 'rfm' ORDER BY l.main DESC, l.created_at LIMIT 1), 12);
ALTER TABLE tier_scores ALTER COLUMN months SET NOT NULL,
  DROP CONSTRAINT tier_scores_pkey,
  ADD PRIMARY KEY (shop_id, months, member_id);
CREATE INDEX tier_scores_member_idx ON tier_scores (shop_id, member_id);

ALTER TABLE segment_progress DROP COLUMN average_minor,
  ADD COLUMN recency timestamptz[] NOT NULL DEFAULT '{}',
  ADD COLUMN frequency bigint[] NOT NULL DEFAULT '{}',
  ADD COLUMN money bigint[] NOT NULL DEFAULT '{}';
UPDATE segment_progress p SET recency = c.recency, frequency = c.frequency, money = c.money FROM (
  SELECT shop_id,
    array_remove(ARRAY[min(last_order_at) FILTER (WHERE 5 * r >= n), min(last_order_at) FILTER (WHERE 5 * r >= 2 * n),
      min(last_order_at) FILTER (WHERE 5 * r >= 3 * n), min(last_order_at) FILTER (WHERE 5 * r >= 4 * n)], NULL) AS recency,
    array_remove(ARRAY[min(orders) FILTER (WHERE 5 * f >= n), min(orders) FILTER (WHERE 5 * f >= 2 * n),
      min(orders) FILTER (WHERE 5 * f >= 3 * n), min(orders) FILTER (WHERE 5 * f >= 4 * n)], NULL) AS frequency,
    array_remove(ARRAY[min(spent_minor) FILTER (WHERE 5 * m >= n), min(spent_minor) FILTER (WHERE 5 * m >= 2 * n),
      min(spent_minor) FILTER (WHERE 5 * m >= 3 * n), min(spent_minor) FILTER (WHERE 5 * m >= 4 * n)], NULL) AS money
  FROM (SELECT shop_id, last_order_at, orders, spent_minor, count(*) OVER (PARTITION BY shop_id) AS n,
      rank() OVER (PARTITION BY shop_id ORDER BY last_order_at) - 1 AS r,
      rank() OVER (PARTITION BY shop_id ORDER BY orders) - 1 AS f,
      rank() OVER (PARTITION BY shop_id ORDER BY spent_minor) - 1 AS m
    FROM segment_facts WHERE orders > 0 AND last_order_at IS NOT NULL) b GROUP BY shop_id) c
WHERE c.shop_id = p.shop_id;
