"""A cache that forgets what was used longest ago. Every operation must cost O(1)."""


class _Node:
    """One entry, and its two neighbours by age."""

    __slots__ = ("key", "newer", "older", "value")

    def __init__(self, key=None, value=None):
        self.key, self.value = key, value
        self.newer = self.older = self  # a ring of one


class LRUCache:
    def __init__(self, capacity):
        if capacity < 1:
            raise ValueError(f"capacity must be at least 1, not {capacity}")
        self.capacity = capacity
        self._nodes = {}  # key -> node
        # A node that is no entry. It closes the ring: its `older` is the newest entry,
        # its `newer` is the oldest, so linking and unlinking never meet an end of the list.
        self._mark = _Node()

    def get(self, key, default=None):
        """The value of `key`, which becomes the newest; `default` when it is not cached."""
        raise NotImplementedError("write get(): find the node, make it the newest, return its value")

    def put(self, key, value):
        """Store `key` as the newest entry; return the (key, value) that had to leave for it, or None."""
        raise NotImplementedError("write put(): store the value as the newest entry, evict the oldest when full")

    def delete(self, key):
        """Forget `key`; True when it was cached, False when not."""
        raise NotImplementedError("write delete(): take the node out of the dict and out of the ring")

    def keys(self):
        """A list of all keys, from the newest to the oldest."""
        raise NotImplementedError("write keys(): walk the ring from the newest entry to the oldest")

    def __contains__(self, key):
        """Whether `key` is cached. Looking is not using: its age stays as it is."""
        return key in self._nodes

    def __len__(self):
        return len(self._nodes)
