from collections import OrderedDict
class LRUCache:
    def __init__(self, capacity):
        if capacity < 1: raise ValueError(capacity)
        self.capacity, self.entries = capacity, OrderedDict()
    def get(self, key, default=None):
        try:
            self.entries.move_to_end(key)
            return self.entries[key]
        except KeyError:
            return default
    def put(self, key, value):
        out = None
        if key not in self.entries and len(self.entries) == self.capacity: out = self.entries.popitem(last=False)
        self.entries[key] = value; self.entries.move_to_end(key); return out
    def delete(self, key):
        try: del self.entries[key]
        except KeyError: return False
        return True
    def keys(self): return list(reversed(self.entries))
    def __contains__(self, key): return key in self.entries
    def __len__(self): return len(self.entries)
