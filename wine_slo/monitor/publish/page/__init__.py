"""Parts of the status page: what finds objectives among many, and the charts."""
