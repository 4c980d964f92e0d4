-- Moves by hand and by refunds are few; whoever asks for them should not walk along all others.
CREATE INDEX tier_changes_rare_idx ON tier_changes (shop_id, created_at DESC, id DESC) WHERE reason IN ('by_hand', 'refund');
