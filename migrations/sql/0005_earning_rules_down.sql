DROP TABLE rehearsals;
ALTER TABLE members DROP COLUMN birthday_index;
DROP TABLE earning_budgets;
DROP TABLE earning_counts;
ALTER TABLE orders DROP COLUMN facts;

SELECT set_config('app.cross_shop', 'on', true);
UPDATE program_versions v SET terms = jsonb_build_object(
    'earn_trigger', v.terms->'earn_trigger', 'holding_days', v.terms->'holding_days',
    'expiry_months', v.terms->'expiry_months', 'minimum_redemption', v.terms->'minimum_redemption',
    'rounding', CASE v.terms->>'rounding' WHEN 'half_even' THEN 'nearest' ELSE v.terms->>'rounding' END,
    'points_per_unit', coalesce(v.terms->'rules'->0->>'points', '0'),
    'earn_on_tax', NOT coalesce((v.terms->'rules'->0->'exclusions'->>'tax')::boolean, false),
    'signup_bonus', coalesce((v.terms->'rules'->1->>'points')::numeric::bigint, 0));
UPDATE programs SET type = CASE WHEN type IN ('points', 'tiered') THEN type ELSE 'points' END,
  rounding = CASE rounding WHEN 'half_even' THEN 'nearest' ELSE rounding END;
SELECT set_config('app.cross_shop', '', true);

ALTER TABLE programs
  DROP CONSTRAINT programs_type_check,
  ADD CONSTRAINT programs_type_check CHECK (type IN ('points', 'tiered')),
  DROP CONSTRAINT programs_rounding_check,
  ADD CONSTRAINT programs_rounding_check CHECK (rounding IN ('down', 'nearest', 'up')),
  DROP COLUMN step, DROP COLUMN zone, DROP COLUMN debt_policy, DROP COLUMN multiplier_mode, DROP COLUMN rules,
  DROP COLUMN multipliers, DROP COLUMN caps;
