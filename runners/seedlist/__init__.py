"""The runner of initial DNS seed list discovery: what mongodb+srv makes of DNS records."""
