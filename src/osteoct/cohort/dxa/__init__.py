"""Tables from DXA machines and hand-made sheets: columns mapped, every problem told at once."""
