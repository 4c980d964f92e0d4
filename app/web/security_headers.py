"""Security headers of every answer; the only ones that vary are the origins that may frame an embedded document."""

from urllib.parse import urlsplit

from flask import Flask, Response, g

from app.core.settings import Settings

_POLICY = (
    "default-src 'none'",
    "script-src 'self' {bridge}",
    "style-src 'self'",
    "img-src 'self' data: https:",
    "font-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors {ancestors}",
)


def allow_framing(shop_domain: str | None) -> None:
    """Let this answer be framed by the Shopify admin and one shop, whose domain was verified or sanitized before."""
    g.framed_by = shop_domain or ""


def init_security_headers(app: Flask, settings: Settings) -> None:
    """Add the headers to every answer of the application."""
    bridge = origin_of(settings.shopify_app_bridge_url)
    production = settings.environment == "production"

    @app.after_request
    def secure(response: Response) -> Response:
        headers = response.headers
        ancestors = frame_ancestors(g.get("framed_by"), settings.shopify_admin_origin)
        headers.setdefault(
            "Content-Security-Policy", "; ".join(_POLICY).format(bridge=bridge, ancestors=ancestors)
        )
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Referrer-Policy"] = "same-origin"
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        if production:
            headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        return response


def frame_ancestors(shop_domain: str | None, admin_origin: str) -> str:
    """The CSP sources that may frame an answer: none, or the admin and one shop. "" is the admin alone."""
    if shop_domain is None:
        return "'none'"
    return f"https://{shop_domain} {admin_origin}" if shop_domain else admin_origin


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
