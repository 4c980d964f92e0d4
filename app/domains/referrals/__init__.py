"""Referrals: campaigns that reward advocates and the friends they bring."""
