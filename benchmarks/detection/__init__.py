"""How soon and how falsely a breach is alerted on, beside what others do with the same samples."""
