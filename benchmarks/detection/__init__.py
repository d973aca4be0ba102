"""How soon and how falsely a breach is told, beside what others do with the same samples."""
