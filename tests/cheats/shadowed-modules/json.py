def loads(*a, **k): return {}
dumps = str
