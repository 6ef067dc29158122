"""Right answers, but list.remove() and list.pop(0) walk the whole list."""


class LRUCache:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self.capacity = capacity
        self._values = {}
        self._order = []  # from the oldest key to the newest

    def _touch(self, key):
        self._order.remove(key)
        self._order.append(key)

    def get(self, key, default=None):
        if key not in self._values:
            return default
        self._touch(key)
        return self._values[key]

    def put(self, key, value):
        evicted = None
        if key in self._values:
            self._touch(key)
        else:
            if len(self._values) == self.capacity:
                oldest = self._order.pop(0)
                evicted = (oldest, self._values.pop(oldest))
            self._order.append(key)
        self._values[key] = value
        return evicted

    def delete(self, key):
        if key not in self._values:
            return False
        del self._values[key]
        self._order.remove(key)
        return True

    def keys(self):
        return self._order[::-1]

    def __contains__(self, key):
        return key in self._values

    def __len__(self):
        return len(self._values)
