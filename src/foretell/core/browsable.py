"""The browsable API: DRF's pages, with our sign-in, under our content security policy."""

from typing import Any

from rest_framework.renderers import BrowsableAPIRenderer

# Security: DRF's and Swagger's pages place things by `style="…"`. That runs nothing; a <style> or a script of the page's own is refused.
STYLED = {"style-src-attr": ["'unsafe-inline'"]}


class BrowsableRenderer(BrowsableAPIRenderer):
    template = "web/api.html"

    def render(self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None) -> str:
        renderer_context["response"]._csp_update = STYLED
        page: str = super().render(data, accepted_media_type, renderer_context)
        return page

    def get_filter_form(self, data: Any, view: Any, request: Any) -> Any:
        """Show none where nothing is filtered: DRF's own takes every list for rows of the database."""
        return super().get_filter_form(data, view, request) if getattr(view, "filter_backends", None) else None

    def get_context(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Leave out Pygments' <style>, which the policy would refuse."""
        return {**super().get_context(*args, **kwargs), "code_style": ""}
