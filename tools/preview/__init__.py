"""The pictures of the dashboards, made with Grafana's own components."""
