"""What both processes answer HTTP with: bounds, hosts, logins, problem documents."""
