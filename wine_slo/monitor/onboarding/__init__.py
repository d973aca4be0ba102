"""A first `slo.yml`, written for somebody who brings a Prometheus or the objectives of another tool."""
