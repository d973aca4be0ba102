"""The core: values and decisions; standard library only, no IO, no clock."""
