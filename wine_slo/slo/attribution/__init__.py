"""Attribution: which value of which label carries the bad events of an incident."""
