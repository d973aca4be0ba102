"""How a remark begins that says what no longer means quite the same; others only say what was seen."""

CHANGED = "changed: "
