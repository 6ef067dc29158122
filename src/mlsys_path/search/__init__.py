"""Full-text search over the roadmap, lessons and pages, in both languages at once."""

from mlsys_path.search.finding import LIMIT, Answer, Hit, ask, search

__all__ = ["LIMIT", "Answer", "Hit", "ask", "search"]
