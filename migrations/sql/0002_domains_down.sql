DROP TABLE messages, referrals, referral_links, referral_campaigns, redemptions, rewards, tier_changes, member_tiers,
  tiers, orders, members, program_versions, programs, privacy_requests, api_keys, staff, shops;
