"""Quick: the tasks a merchant does every week, declared by the domains that own them; who ran what, and taking it back."""
