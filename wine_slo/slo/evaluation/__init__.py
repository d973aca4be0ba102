"""From samples to readings, from readings to judgements, from judgements to incidents."""
