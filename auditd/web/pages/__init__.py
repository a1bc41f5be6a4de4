"""What people look at: the fleet, its authorizations, alerts, silences and deliveries."""
