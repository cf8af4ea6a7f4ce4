"""How an object looks in each API version, and with what a call asked to see expanded.

The store hold the newest shape. An older version shows of it what its own templates have, and what they have besides.
"""

from functools import cache
from importlib.resources.abc import Traversable
from typing import Any

from payproof.stripe.double.errors import ApiError, invalid
from payproof.stripe.double.included import INCLUDED
from payproof.stripe.double.older import OLDER
from payproof.stripe.double.relations import Object, ObjectLookup, kind_of
from payproof.stripe.templates import Templates

__all__ = ["Shapes", "difference"]

_PAGES = frozenset({"list", "search_result"})
_FREE = frozenset({"metadata", "payment_method_options", "last_payment_error", "data"})
_PLAIN = frozenset({"metadata"})  # an object, and nothing that could be expanded
_DEEPEST = 4  # Stripe: expansions have a maximum depth of four levels


def difference(before: Any, after: Any) -> Any:
    """Return what of the attributes before is other after, as ``previous_attributes`` shows it."""
    found = {}
    for name in before.keys() | after.keys():
        old, new = before.get(name), after.get(name)
        if old == new:
            continue
        found[name] = difference(old, new) if isinstance(old, dict) and isinstance(new, dict) else old
    return dict(sorted(found.items()))


class Shapes:
    """Renders objects; versions are the dated names of Stripe's."""

    def __init__(self, folder: Traversable, store: ObjectLookup) -> None:
        self._templates = Templates(folder)
        self._store = store
        self._newest = self._templates.versions()[-1]
        self._older = cache(self._template)

    def newest(self, kind: str) -> Object:
        """Return the template of a kind in the newest shape."""
        return self._templates.object(kind, self._newest)

    def newest_event(self, type_: str) -> Object:
        """Return the template of a whole event in the newest shape."""
        return self._templates.event(type_, self._newest)

    def knows(self, kind: str) -> bool:
        """Whether there is a template of a kind in the newest shape."""
        return self._templates.has_object(kind, self._newest)

    def is_newest(self, api_version: str) -> bool:
        """Whether a version has the newest shape."""
        return self.of(api_version) == self._newest

    def of(self, api_version: str) -> str:
        """Return the version whose shape another has; raises ConfigurationError for what is no version of Stripe."""
        return self._templates.shape(api_version)

    def _template(self, kind: str, shape: str) -> Object:
        return self._templates.object(kind, shape)

    def render(self, content: Object, api_version: str) -> Object:
        """Return an object as a version shows it."""
        shape = self.of(api_version)
        return content if shape == self._newest else self._render_value(content, shape)

    def _render_value(self, content: Any, shape: str) -> Any:
        if isinstance(content, list):
            return [self._render_value(one, shape) for one in content]
        if not isinstance(content, dict):
            return content
        kind = content.get("object")
        if kind == "event":
            return content  # an event keeps the shape that it was written in
        if kind in _PAGES:
            return content | {"data": [self._render_value(one, shape) for one in content["data"]]}
        if not isinstance(kind, str) or content.get("deleted"):
            return self._rendered_parts(content, shape)
        return self._render_object(content, kind, shape)

    def _render_object(self, content: Object, kind: str, shape: str) -> Object:
        if (told := self._store.told_as(content, shape)) is not None:
            return told
        template = self._older(kind, shape)
        shown: Object = {
            name: self._part(content, name, old, shape) for name, old in template.items() if name in content
        }
        older = OLDER.get(kind)
        return shown if older is None else shown | self._rendered_parts(older(content, self._store), shape)

    def _rendered_parts(self, parts: Object, shape: str) -> Object:
        return {name: self._render_value(part, shape) for name, part in parts.items()}

    def _part(self, content: Object, name: str, old: Any, shape: str) -> Any:
        new = content.get(name)
        if isinstance(new, dict) and "object" in new:
            return self._render_value(new, shape)
        if name in _FREE or not isinstance(new, dict) or not isinstance(old, dict) or not old:
            return self._render_value(new, shape)
        return {key: self._part(new, key, inner, shape) for key, inner in old.items() if key in new}

    def expand(self, content: Object, path: str, api_version: str, depth: int = 1, within: str = "") -> Object:
        """Return an object with what a dotted path names shown whole instead of by its id.

        ``within`` is the name of the property that the object is, for those that have no kind. What is shown whole
        anyway stays as it is, as with Stripe.

        Raises:
            ApiError: there is nothing to expand at the path.
        """
        name, _, rest = path.partition(".")
        if depth > _DEEPEST:
            raise invalid("You cannot expand more than 4 levels of a property.", param="expand")
        if content.get("object") in _PAGES and name == "data":
            return content | {"data": [self.expand(one, rest, api_version, depth) for one in content["data"]]}
        value = content.get(name)
        include = INCLUDED.get((str(content.get("object", within)), name))
        if include is not None:
            value = self._rendered_as(include(content, self._store), api_version)
        elif isinstance(value, str):
            value = self._expand_reference(name, value, api_version)
        elif isinstance(value, list) and all(isinstance(one, str) for one in value):
            value = [self._expand_reference(name, one, api_version) for one in value]
        elif name not in content or name in _PLAIN or not (value is None or isinstance(value, dict) or rest):
            raise _not_expandable(path)
        if rest and isinstance(value, dict):
            value = self.expand(value, rest, api_version, depth + 1, name)
        return content | {name: value}

    def _rendered_as(self, content: Any, api_version: str) -> Any:
        return content if content is None else self.render(content, api_version)

    def _expand_reference(self, name: str, object_id: str, api_version: str) -> Object:
        found = self._store.find(kind_of(object_id) or name, object_id)  # a coupon's id has no prefix
        if found is None:
            raise _not_expandable(name)
        return self.render(found, api_version)


def _not_expandable(path: str) -> ApiError:
    return invalid(f"This property cannot be expanded ({path}).", param="expand", began=False)
